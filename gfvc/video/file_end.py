"""Whether a file ends where one of its parts does, so that none of it was cut off.

A duration that a file states does not tell: recorders in browsers guess it, or it is put in later.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from gfvc.media_boxes import end_of_tags, top_boxes
from gfvc.video.transport_stream import LOOKED_AT, SYNC, layout_of

_FLV, _MP4 = b"FLV", (b"ftyp", b"styp", b"moov")

# Of AVI, one after the other (OpenDML AVI File Format Extensions), each of up to a gigabyte.
_RIFF, _CHUNK_HEADER, _MOST_CHUNKS = b"RIFF", 8, 100_000

# RFC 9559: what holds the rest, and a part of it with pictures; both may have no stated size.
_EBML, _SEGMENT, _CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_ID_BYTES, _SIZE_BYTES = 4, 8
# Each of a picture in a recording of days.
_MOST_ELEMENTS = 2_000_000


def ends_whole(path: Path) -> bool:
    """Whether a file is Matroska, WebM, MP4, AVI or FLV whose last part ends with it.

    False, too, where that cannot be told, as of other formats. Raises `OSError` as reading does.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(8)
        if head.startswith(_EBML):
            return _elements_end(file, size) == size
        if head.startswith(_FLV):
            return end_of_tags(file) == size
        if head[4:8] in _MP4:
            return [box.end for box in top_boxes(file)][-1:] == [size]
        if head.startswith(_RIFF):
            return _chunks_end(file, size) == size
    return False


def ends_amid_packet(path: Path) -> bool:
    """Whether a file is a transport stream (MPEG-TS) whose last packet is not all there.

    Raises `OSError` as reading does.
    """
    with path.open("rb") as file:
        layout = layout_of(file.read(LOOKED_AT))
        if layout is None:
            return False
        file_size = file.seek(0, os.SEEK_END)
        rest = (file_size - layout.first + layout.before) % layout.size
        file.seek(file_size - rest + layout.before - layout.size)
        whole = file.read(layout.size)
        # Other bytes may be put behind.
        is_packet = whole[:1] == bytes([SYNC]) and file.read(1) in (b"", bytes([SYNC]))
        return bool(rest) and is_packet


def _chunks_end(file: BinaryIO, file_size: int) -> int | None:
    """Where the last RIFF chunk of a file ends; None where something else is between."""
    place = 0
    for _ in range(_MOST_CHUNKS):
        if place == file_size:
            return place
        file.seek(place)
        head = file.read(_CHUNK_HEADER)
        if len(head) < _CHUNK_HEADER or head[:4] != _RIFF:
            return None
        size = int.from_bytes(head[4:], "little")
        end = place + _CHUNK_HEADER + size
        if end >= file_size:
            return end
        place = end + size % 2
    return None


def _elements_end(file: BinaryIO, file_size: int) -> int | None:
    """Where the last element of a Matroska file ends; None where there is no telling."""
    place, stated_end = 0, None
    for _ in range(_MOST_ELEMENTS):
        file.seek(min(place, file_size))
        head = file.read(_ID_BYTES + _SIZE_BYTES)
        if not head:
            return place if stated_end is None else max(place, stated_end)
        id_bytes = 9 - head[0].bit_length()
        at = head[id_bytes : id_bytes + 1]
        if id_bytes > _ID_BYTES or not at or not at[0]:
            return None
        size_bytes = 9 - at[0].bit_length()
        content = id_bytes + size_bytes
        if content > len(head):
            return None
        most = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(head[id_bytes:content], "big") & most
        kind = head[:id_bytes]
        if kind == _SEGMENT and size != most:
            stated_end = place + content + size
        if kind == _SEGMENT or (kind == _CLUSTER and size == most):
            size = 0  # what it holds comes next
        elif size == most:
            return None
        place += content + size
    return None
