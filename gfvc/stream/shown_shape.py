"""How the pictures of a stream are to be shown beside what is coded: turned, or stretched.

That is up to who shows them. A decoder gives them as they are coded, and a note says so.
"""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from base_codec_adapters import Codec
from gfvc.errors import let_deadline_by
from gfvc.limits import MAX_AREA, MAX_SOURCE_AREA
from gfvc.media_files import STREAM_FORMATS, open_media
from gfvc.media_packets import demuxed
from gfvc.stream.containers import coded_track, is_container
from gfvc.telling import Notes
from gfvc.video.orientation import Orientation, orientation_of, slant_of
from gfvc.video.stated import pixel_width

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Of a byte stream: parameter sets and a picture or so, in which the shape of pixels is looked for.
_HEAD_BYTES = 2**18
# Of a container, until a picture is decoded.
_PACKETS = 20

_TURNS = {
    Orientation(transpose=True, flip_x=True): "turned by 90 degrees to the right",
    Orientation(flip_x=True, flip_y=True): "turned by 180 degrees",
    Orientation(transpose=True, flip_y=True): "turned by 90 degrees to the left",
    Orientation(flip_x=True): "mirrored",
    Orientation(flip_y=True): "mirrored upside down",
    Orientation(transpose=True): "turned by 90 degrees and mirrored",
    Orientation(transpose=True, flip_x=True, flip_y=True): "turned by 90 degrees and mirrored",
}


def tell_of_shape(path: Path, codec: Codec, notes: Notes) -> None:
    """Tell what a stream, or its container, asks of who shows it, and is not done."""
    turn, width = _stated(path, codec)
    asked = []
    if turn is not None:
        asked.append(turn)
    if width != 1:
        asked.append(f"with pixels {float(width):.3g} times as wide as high")
    if asked:
        notes(f"{path}: is to be shown {' and '.join(asked)}; that is not applied")


def _stated(path: Path, codec: Codec) -> tuple[str | None, Fraction]:
    """A turn, and how wide pixels are; nothing where it cannot be told."""
    import av

    try:
        if not is_container(path):
            with path.open("rb") as file:
                head = io.BytesIO(file.read(_HEAD_BYTES))
            # The library decodes a picture to see what it is. Its stubs have these as texts.
            limits: list[Any] = [{"max_pixels": str(MAX_AREA)}]
            with av.open(head, "r", format=codec, stream_options=limits) as stream:
                return None, pixel_width(stream.streams.video[0])
        with open_media(path, STREAM_FORMATS) as container:
            track = coded_track(path, container)
            return _turn(container, track), pixel_width(track)
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        let_deadline_by(error)
        return None, Fraction(1)


def _turn(container: InputContainer, track: VideoStream) -> str | None:
    """The turn that comes with the first picture, which alone tells of it."""
    track.codec_context.options = {"max_pixels": str(MAX_SOURCE_AREA)}
    for packet in islice(demuxed(container, track), _PACKETS):
        for frame in packet.decode():
            nearest, slant = orientation_of(frame), slant_of(frame)
            if slant is None:
                return _TURNS.get(nearest)
            mirrored = ""
            if nearest.is_mirrored:  # Left and right have changed places before rows are turned.
                mirrored, slant = "mirrored, then ", slant % 360 - 180
            side = "left" if slant < 0 else "right"
            return f"{mirrored}turned by {abs(slant):.0f} degrees to the {side}"
    return None
