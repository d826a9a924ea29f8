"""Edit lists of MP4 files (ISO/IEC 14496-12, 8.6.6) that libavformat does not follow.

It takes the media rate of each part for 1, whatever it is: parts at another speed, or standing
still. It takes -1, which stands for nothing to be shown, for a time of the media, but at the start.
And it places parts behind the first by the order of decoding, so that pictures that are predicted
from later ones come late there, or are lost.
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


class _Edit(NamedTuple):
    """A part of a track: how long it is shown, where it begins in the track, its speed in 65536ths.

    In ticks of the movie and of the track.
    """

    lasts: int
    media: int
    rate: int


class _Track(NamedTuple):
    """The edit list of a track, and ticks of a second in it. `media` is how long the track is.

    In ticks of its own, 0 where it does not say; `is_reordered` whether its samples are shown in
    another order than they are decoded in, `has_fragments` whether more of them are in fragments.
    """

    edits: tuple[_Edit, ...]
    second: int
    media: int
    is_reordered: bool
    has_fragments: bool


_NO_EDITS = _Track((), 1, 0, False, False)
_CONVERT = "convert it first, with a video program that follows it (not ffmpeg)"


def refuse_edits(
    path: Path, container: InputContainer, track: int, *, followed: bool = True
) -> None:
    """Raise `InputError` where the edit list of a track, by its number, cannot be followed.

    Without `followed` it is not, and only parts at another speed matter.
    """
    edited = _edited(path, container, track)
    label = f"{path}: its edit list has"
    part = _other_speed(edited)
    if part is not None:
        shown = f"at {float(part.rate):.4g} times its speed" if part.rate else "standing still"
        raise InputError(
            f"{label} track {track} shown {shown} from {part.start:.2f} s on, which is not "
            f"followed here; {_CONVERT}"
        )
    if not followed or not edited.edits:
        return
    if _shows_nothing(edited):
        raise InputError(
            f"{label} nothing of track {track} shown; if all of it is meant, take the list out "
            "(ffmpeg -ignore_editlist 1 -i IN -map 0 -c copy OUT)"
        )
    empty = _later_empty(edited)
    if empty is not None:
        raise InputError(
            f"{label} nothing of track {track} shown from {empty:.2f} s on, amid its parts or "
            f"behind them, which is not followed here; {_CONVERT}"
        )


def other_speed(path: Path, container: InputContainer, track: int) -> OtherSpeed | None:
    """The first part at another speed of a track of an MP4 file, by its number; None for none.

    Raises `InputError` where the file cannot be read.
    """
    return _other_speed(_edited(path, container, track))


def misplaced_parts(path: Path, container: InputContainer, track: int) -> str | None:
    """What is not as it should be of parts that are read of a track, by its number, if so.

    Raises `InputError` where the file cannot be read.
    """
    edited = _edited(path, container, track)
    count = sum(edit.media != _EMPTY and edit.lasts > 0 for edit in edited.edits)
    if count < 2 or not edited.is_reordered or edited.has_fragments:
        return None
    return (
        f"its edit list shows {count} parts, and its pictures are coded in another order than they "
        "are shown in: those behind the first part may come some pictures late for the sound, and "
        f"single ones be missing where parts join; if that matters, {_CONVERT}"
    )


def hides_packets(path: Path, container: InputContainer) -> bool:
    """Whether packets that the library marks as not to be shown are those that edits hide.

    Among fragments (MP4) the mark has another sense: that a stamp is no later than the one before.
    """
    if container.format.name.split(",")[0] != "mov":
        return False
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        return not _has_fragments(file)


def _edited(path: Path, container: InputContainer, track: int) -> _Track:
    if container.format.name.split(",")[0] != "mov":
        return _NO_EDITS
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        movie = next((box for box in top_boxes(file) if box.name == b"moov"), None)
        if movie is None:
            return _NO_EDITS
        boxes = list(inner_boxes(file, movie))
        header = next((_content(file, box) for box in boxes if box.name == b"mvhd"), b"")
        for box in boxes:
            if box.name != b"trak":
                continue
            number = _find(file, box, b"tkhd")
            if number is None or _field(_content(file, number), 12, 20) != track:
                continue
            edits = _find(file, box, b"edts", b"elst")
            if edits is None:
                return _NO_EDITS
            media = _find(file, box, b"mdia", b"mdhd")
            return _Track(
                tuple(_entries(_content(file, edits))),
                _field(header, 12, 20) or 1,
                0 if media is None else _length(_content(file, media)),
                _find(file, box, b"mdia", b"minf", b"stbl", b"ctts") is not None,
                _has_fragments(file),
            )
    return _NO_EDITS


def _has_fragments(file: BinaryIO) -> bool:
    return any(box.name == b"moof" for box in top_boxes(file))


def _find(file: BinaryIO, box: Box, *names: bytes) -> Box | None:
    """The first box within a box by the names on the way to it."""
    found: Box | None = box
    for name in names:
        if found is None:
            break
        found = next((one for one in inner_boxes(file, found) if one.name == name), None)
    return found


def _other_speed(track: _Track) -> OtherSpeed | None:
    # A whole track that stands still is a slip.
    if not any(edit.rate for edit in track.edits if edit.media != _EMPTY):
        return None
    at = 0
    for edit in track.edits:
        if edit.media != _EMPTY and edit.lasts and edit.rate != 1 << 16:
            return OtherSpeed(at / track.second, Fraction(edit.rate, 1 << 16))
        at += edit.lasts
    return None


def _shows_nothing(track: _Track) -> bool:
    """Whether all parts are empty, of no length, or begin behind the end.

    Among fragments a part of no length goes on to the end.
    """
    return not track.has_fragments and not any(
        edit.lasts and edit.media != _EMPTY and (edit.media < track.media or not track.media)
        for edit in track.edits
    )


def _later_empty(track: _Track) -> float | None:
    """When nothing is to be shown that was shown before, in seconds; None where that is not so."""
    at, has_begun = 0, False
    for edit in track.edits:
        if edit.media != _EMPTY:
            has_begun = True
        elif has_begun and edit.lasts:
            return at / track.second
        at += edit.lasts
    return None


def _entries(content: bytes) -> Iterator[_Edit]:
    form = _ENTRIES[content[:1] == b"\1"]
    count = int.from_bytes(content[4:8], "big")
    for number in range(min(count, _MOST_ENTRIES, (len(content) - 8) // form.size)):
        yield _Edit(*form.unpack_from(content, 8 + number * form.size))


def _field(content: bytes, *places: int) -> int:
    """A number of four bytes at one place in version 0 of a box, and another in version 1."""
    at = places[content[:1] == b"\1"]
    return int.from_bytes(content[at : at + 4], "big")


def _length(content: bytes) -> int:
    """How long a track is by its media header, in its ticks; 0 where that is not said."""
    is_long = content[:1] == b"\1"
    length = int.from_bytes(content[24:32] if is_long else content[16:20], "big")
    return 0 if length == (1 << (64 if is_long else 32)) - 1 else length


def _content(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.content)
    return file.read(min(box.end - box.content, _ENTRIES[1].size * _MOST_ENTRIES + 8))
