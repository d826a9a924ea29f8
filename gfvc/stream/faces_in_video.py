"""Streams of faces given where a video is wanted: players see a few still pictures of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.errors import InputError
from gfvc.stream.containers import nal_units_of
from gfvc.stream.information import is_ours, shows_as_coded
from gfvc.stream.sei_messages import readable_messages
from sei import GENERATIVE_FACE_VIDEO, SeiError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_CODECS = ("vvc", "hevc")
# Both kinds of messages come with the first pictures.
_LOOKED_AT = 1 << 20  # bytes


def refuse_faces(path: Path, container: InputContainer, stream: VideoStream) -> None:
    """Raise `InputError` where a video stream that is just opened has to be decoded by gfvc.

    That is one of VVC or HEVC with gfvc's user data, or with generative face video messages. Reads
    the stream's beginning, and one with user data up to the first face message; what is damaged in
    it is left to whoever reads it next.
    """
    if stream.codec_context.name not in _CODECS:
        return
    problem = _problem(path, container, stream)
    if problem is not None:
        raise InputError(f"{path}: {problem}")


def _problem(path: Path, container: InputContainer, stream: VideoStream) -> str | None:
    """Why a stream is no video to code, and what to do; None where it is one."""
    seen = 0
    ours = decodes = False
    try:
        for unit in nal_units_of(path, container, stream):
            has_face = False
            for message in readable_messages(unit) if unit.is_sei and not unit.layer_id else ():
                ours = ours or is_ours(message)
                decodes = decodes or (unit.is_prefix_sei and shows_as_coded(message))
                has_face = has_face or message.payload_type == GENERATIVE_FACE_VIDEO
            if has_face:
                kind = "is a stream of gfvc" if ours else "holds generative face video"
                return f"{kind}; gfvc decode it first"
            seen += len(unit.data)
            if seen > _LOOKED_AT and not ours:
                return None
    except (InputError, SeiError):
        decodes = ours
    if not ours:
        return None
    if decodes:
        return "is a stream of gfvc; gfvc decode it first"
    # Where nothing is shown as coded, gfvc decode has nothing to do without face messages.
    return (
        "is a stream of gfvc whose face messages were taken out; make a video of it with ffmpeg, "
        "or take its user data out, too (gfvc remove --payload 5)"
    )
