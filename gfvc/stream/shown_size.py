"""At which size pictures are shown that are coded smaller: a decoder enlarges what it has drawn."""

from __future__ import annotations

from typing import NamedTuple

from gfvc.limits import MAX_SIDE
from sei.coder import Coder

MOST_ENLARGED = 4
"""How many times as wide or high as they are coded pictures may be shown.

A few bytes ask for so much work.
"""


class ShownSize(NamedTuple):
    """Width and height of the pictures that come out, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def shown_size(c: Coder, given: ShownSize) -> ShownSize:
    """Syntax of the size in our user data; `sei.coder` says how it serves reading and writing."""
    return ShownSize(
        c.u("shown_width", 16, given.width, 1, 0xFFFF),
        c.u("shown_height", 16, given.height, 1, 0xFFFF),
    )


def shown_size_fault(shown: ShownSize | None, width: int, height: int) -> str | None:
    """Why coded pictures of a width and height cannot be shown at a size, if so."""
    if shown is None:
        return None
    sides = ((shown.width, width), (shown.height, height))
    can_be = all(
        coded <= side <= min(MOST_ENLARGED * coded, MAX_SIDE) and side % 2 == 0
        for side, coded in sides
    )
    if can_be:
        return None
    return (
        f"its user data have coded pictures of {width}x{height} shown at {shown}; a decoder "
        f"enlarges them to even sides, up to {MOST_ENLARGED} times as long and {MAX_SIDE}"
    )
