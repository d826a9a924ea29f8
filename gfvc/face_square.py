"""Where in a whole picture a model sees and draws the face."""

from __future__ import annotations

import math
from dataclasses import dataclass

DRAWN_SIDE = 256
"""Side in pixels of the pictures that models see and draw, whatever that of the square."""

LEAST_SIDE, MOST_SIDE = 32, 8192
"""Pixels of a whole picture that a square may be wide and high."""

MAX_FACES = 4
"""Greatest number of faces that are driven in a picture, each in a square of its own."""

RESTORE_SQUARE = (
    "put the user data back where they were taken out (gfvc inject), or take the face messages out "
    "too (gfvc remove): a player can show what is left"
)
"""What to do about a `lost_square`."""


def lost_square(width: int, height: int) -> str:
    """What is wrong with pictures of a size, not square, that drive a face without its square."""
    return (
        f"coded pictures of {width}x{height} drive a face, and no user data of gfvc say in which "
        "square of them it is"
    )


@dataclass(frozen=True, slots=True)
class FaceSquare:
    """A square of a whole picture, in its pixels; the face is drawn there, the rest held.

    Raises `ValueError` for a side outside 32..8192, or a place outside 0..65535.
    """

    left: int
    top: int
    side: int

    def __post_init__(self) -> None:
        if not LEAST_SIDE <= self.side <= MOST_SIDE:
            raise ValueError(f"a face square {self.side} wide is not within 32..8192")
        if not (0 <= self.left <= 0xFFFF and 0 <= self.top <= 0xFFFF):
            raise ValueError(f"a face square at {self.left}, {self.top} is not within 0..65535")

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the whole picture."""
        return (
            slice(self.top, self.top + self.side),
            slice(self.left, self.left + self.side),
        )

    def fits(self, width: int, height: int) -> bool:
        """Whether it lies within a picture of so many pixels."""
        return self.left + self.side <= width and self.top + self.side <= height

    def overlaps(self, other: FaceSquare) -> bool:
        """Whether the two share pixels."""
        return (
            abs(2 * (self.left - other.left) + self.side - other.side) < self.side + other.side
            and abs(2 * (self.top - other.top) + self.side - other.side) < self.side + other.side
        )

    def distance(self, x: float, y: float) -> float:
        """How far a place of the whole picture is from its middle, in sides of it."""
        middle = self.left + self.side / 2, self.top + self.side / 2
        return math.dist((x, y), middle) / self.side

    def __str__(self) -> str:
        return f"{self.side}x{self.side} at {self.left}, {self.top}"
