"""Whether the last sample of a container is whole, which a byte stream cannot tell of its end.

MP4, Matroska and FLV state the size of each; of MPEG-TS and others it is not known.
"""

from __future__ import annotations

from pathlib import Path

from gfvc.media_files import media_errors
from gfvc.media_packets import packets_of
from gfvc.stream.containers import coded_track, open_file_as_container
from gfvc.stream.stated_size import missing_bytes

# By the names of libavformat, which says of MP4 and FLV that a sample is cut off, and gives none of
# Matroska.
_STATING_SIZES = frozenset({"mov", "matroska", "flv"})


def last_sample_is_whole(path: Path) -> bool:
    """Whether a file is a container that says so of the last sample in its coded track.

    Raises `InputError` when the file cannot be read.
    """
    if not path.is_file():
        return False  # A pipe, which cannot be read again.
    container = open_file_as_container(path)
    if container is None:
        return False
    with container:
        if not _STATING_SIZES & set(container.format.name.split(",")):
            return False
        if missing_bytes(path, container.format.name):
            return False  # It is not the last.
        track = coded_track(path, container)
        is_whole = False
        with media_errors(str(path)):
            for packet in packets_of(path, container, track):
                if packet.size:
                    is_whole = not packet.is_corrupt
        return is_whole
