"""How much smaller than they come out large whole pictures are coded, where bits are few.

A decoder enlarges what it has drawn. So does every player with video of a small size, and at few
bits that looks better than all pixels coded coarsely.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gfvc.errors import InputError
from gfvc.framing import MIN_SIDE, Framing, even, square_of
from gfvc.options.encoding import EncodeOptions
from gfvc.rate_control.ladder import key_qp_asked_for
from gfvc.rectangle import Rectangle
from gfvc.scaling import Size
from gfvc.stream.shown_size import ShownSize, shown_size_fault
from gfvc.telling import Notes

LEAST_REDUCED_SIDE = 360
"""Shorter side of coded pictures that are half as large as what comes out, at least.

Pictures of fewer lines gain less by it, by fewer measures (docs/measured/whole_pictures.md).
"""
LEAST_REDUCED_SQUARE = 128
"""Side of their face squares at least; smaller faces were not measured."""
# Coded pictures are reduced from this key QP on: below it bits are enough for all of them
# (docs/measured/whole_pictures.md).
_LEAST_REDUCED_QP = 24
# Where a bitrate is asked for, with fewer bits than this a second and luma sample of a picture.
_MOST_REDUCED_BITS = 0.045


def check_coded_size(source: Path, shown: Size, options: EncodeOptions) -> None:
    """Raise `InputError` for a side that pictures of a size cannot be coded with, if one is asked.

    For who will look through a clip before it is framed and reduced.
    """
    if options.coded_side is None:
        return
    if not _can_have(shown, options.coded_side):
        least = next(side for side in range(MIN_SIDE, min(shown) + 1) if _can_have(shown, side))
        raise InputError(
            f"{source}: comes out as {shown[0]}x{shown[1]}, and cannot be coded with a shorter "
            f"side of {options.coded_side} (--coded-size): take {least} to {min(shown)}"
        )


def reduce(source: Path, framing: Framing, options: EncodeOptions, notes: Notes) -> Framing:
    """Code pictures smaller than they come out, where options ask for it, or for few bits.

    By themselves pictures are halved where there are predicted ones between key pictures, no face
    gets too small by it, and bits are few; `notes` is told. Raises as `check_coded_size`.
    """
    check_coded_size(source, framing.size, options)
    if options.coded_size == "full" or not options.whole_pictures:
        return framing
    shown = framing.size
    asked = options.coded_side
    if asked is None:
        side = even(min(shown) / 2)
        if side < LEAST_REDUCED_SIDE or not _asks_for_few_bits(shown, options):
            return framing
    else:
        side = asked
    size = _with_shorter_side(shown, side)
    squares = tuple(
        square_of(Rectangle(face.left, face.top, face.side, face.side), shown, size)
        for face in framing.squares
    )
    if asked is None:
        if min((square.side for square in squares), default=0) < LEAST_REDUCED_SQUARE:
            return framing
        notes(
            f"{source}: is coded as {size[0]}x{size[1]}, which decoders enlarge to "
            f"{shown[0]}x{shown[1]}; --coded-size full takes more bits"
        )
    if size == shown:
        return framing
    return replace(framing, size=size, squares=squares, shown_size=shown)


def _can_have(shown: Size, side: int) -> bool:
    """Whether pictures of a size can be coded with a shorter side."""
    size = _with_shorter_side(shown, side)
    return min(size) >= MIN_SIDE and shown_size_fault(ShownSize(*shown), *size) is None


def _with_shorter_side(size: Size, side: int) -> Size:
    """A size in the shape of another."""
    scale = side / min(size)
    return even(size[0] * scale), even(size[1] * scale)


def _asks_for_few_bits(size: Size, options: EncodeOptions) -> bool:
    """Whether so few that pictures of a size look better coded smaller."""
    if not options.codes_sequences or not options.most_faces:
        return False
    key_qp = key_qp_asked_for(options)
    if key_qp is not None:
        return key_qp >= _LEAST_REDUCED_QP
    assert options.bitrate is not None
    return options.bitrate < _MOST_REDUCED_BITS * size[0] * size[1]
