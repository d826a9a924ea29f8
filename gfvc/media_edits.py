"""Edit lists of MP4 files that show parts at another speed, or have them stand still.

That is what their media rate says (ISO/IEC 14496-12, 8.6.6); libavformat takes each for 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from gfvc.errors import InputError, system_errors
from gfvc.media_boxes import Box, inner_boxes, top_boxes

if TYPE_CHECKING:
    from av.container import InputContainer

_EMPTY = -1
# Of a version of 0 and 1: duration, media time, media rate in 65536ths.
_ENTRIES = (struct.Struct(">Iii"), struct.Struct(">Qqi"))
_MOST_ENTRIES = 10_000


class OtherSpeed(NamedTuple):
    """A part of a track that is to be shown at another speed than it was recorded at.

    `start` is when it is shown, in seconds, and `rate` the speed: 0 to stand still.
    """

    start: float
    rate: Fraction


def refuse_other_speeds(path: Path, container: InputContainer, track: int) -> None:
    """Raise `InputError` where a track of an MP4 file, by its number, has such a part."""
    part = other_speed(path, container, track)
    if part is None:
        return
    shown = f"at {float(part.rate):.4g} times its speed" if part.rate else "standing still"
    raise InputError(
        f"{path}: its edit list has track {track} shown {shown} from {part.start:.2f} s on, which "
        "is not followed here; convert it first, with a video program that follows it (not ffmpeg)"
    )


def other_speed(path: Path, container: InputContainer, track: int) -> OtherSpeed | None:
    """The first such part of a track of an MP4 file, by its number; None where there is none.

    Raises `InputError` where the file cannot be read.
    """
    if container.format.name.split(",")[0] != "mov":
        return None
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        movie = next((box for box in top_boxes(file) if box.name == b"moov"), None)
        if movie is None:
            return None
        boxes = list(inner_boxes(file, movie))
        header = next((_content(file, box) for box in boxes if box.name == b"mvhd"), b"")
        second = _field(header, 12, 20) or 1
        for box in boxes:
            if box.name != b"trak":
                continue
            parts = {part.name: part for part in inner_boxes(file, box)}
            if b"tkhd" not in parts or b"edts" not in parts:
                continue
            if _field(_content(file, parts[b"tkhd"]), 12, 20) == track:
                for edits in inner_boxes(file, parts[b"edts"]):
                    if edits.name == b"elst":
                        return _first(list(_entries(_content(file, edits))), second)
    return None


def hides_packets(path: Path, container: InputContainer) -> bool:
    """Whether packets that the library marks as not to be shown are those that edits hide.

    Among fragments (MP4) the mark has another sense: that a stamp is no later than the one before.
    """
    if container.format.name.split(",")[0] != "mov":
        return False
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        return not any(box.name == b"moof" for box in top_boxes(file))


def _first(entries: list[tuple[int, int, int]], second: int) -> OtherSpeed | None:
    # A whole track that stands still is a slip.
    if not any(rate for _, media, rate in entries if media != _EMPTY):
        return None
    at = 0
    for lasts, media, rate in entries:
        if media != _EMPTY and lasts and rate != 1 << 16:
            return OtherSpeed(at / second, Fraction(rate, 1 << 16))
        at += lasts
    return None


def _entries(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Duration, media time and rate of each part."""
    form = _ENTRIES[content[:1] == b"\1"]
    count = int.from_bytes(content[4:8], "big")
    for number in range(min(count, _MOST_ENTRIES, (len(content) - 8) // form.size)):
        lasts, media, rate = form.unpack_from(content, 8 + number * form.size)
        yield lasts, media, rate


def _field(content: bytes, *places: int) -> int:
    """A number of four bytes at one place in version 0 of a box, and another in version 1."""
    at = places[content[:1] == b"\1"]
    return int.from_bytes(content[at : at + 4], "big")


def _content(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.content)
    return file.read(min(box.end - box.content, _ENTRIES[1].size * _MOST_ENTRIES + 8))
