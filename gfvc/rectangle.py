"""A part of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.contract import Picture


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of a picture in whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def window(self) -> tuple[int, int, int, int]:
        """(left, top, width, height)."""
        return self.left, self.top, self.width, self.height

    def is_within(self, width: int, height: int) -> bool:
        """Whether it is a part of a picture of that size."""
        return (
            min(self.left, self.top) >= 0
            and min(self.width, self.height) > 0
            and self.left + self.width <= width
            and self.top + self.height <= height
        )

    def cut(self, picture: Picture) -> Picture:
        """The part of a picture [H, W, 3]."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]
