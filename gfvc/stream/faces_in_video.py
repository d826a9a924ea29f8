"""Streams of faces given where a video is wanted: players see a few still pictures of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.errors import InputError
from gfvc.stream.containers import nal_units_of
from gfvc.stream.information import is_ours
from sei import (
    FACE_PAYLOADS,
    NalUnit,
    SeiError,
    iterate_sei_messages,
)
from sei.rbsp import sei_rbsp

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_CODECS = ("vvc", "hevc")
# Both kinds of messages come with the first pictures.
_LOOKED_AT = 1 << 20  # bytes


def refuse_faces(path: Path, container: InputContainer, stream: VideoStream) -> None:
    """Raise `InputError` where a video stream that is just opened has to be decoded by gfvc.

    That is one of VVC or HEVC with gfvc's user data, or with generative face video messages. Reads
    the stream's beginning; what is damaged in it is left to whoever reads it next.
    """
    if stream.codec_context.name not in _CODECS:
        return
    try:
        found = next(filter(None, map(_of_faces, _first_units(path, container, stream))), None)
    except (InputError, SeiError):
        return
    if found is not None:
        raise InputError(f"{path}: {found}; gfvc decode it first")


def _first_units(path: Path, container: InputContainer, stream: VideoStream) -> Iterator[NalUnit]:
    seen = 0
    for unit in nal_units_of(path, container, stream):
        yield unit
        seen += len(unit.data)
        if seen > _LOOKED_AT:
            return


def _of_faces(unit: NalUnit) -> str | None:
    """What a stream is that holds such a NAL unit; None where it says nothing of that."""
    if not unit.is_sei:
        return None
    try:
        messages = list(iterate_sei_messages(sei_rbsp(unit)))
    except SeiError:
        return None
    if any(map(is_ours, messages)):
        return "is a stream of gfvc"
    if any(message.payload_type in FACE_PAYLOADS for message in messages):
        return "holds generative face video"
    return None
