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

    def cut(self, picture: Picture) -> Picture:
        """The part of a picture [H, W, 3]."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]
