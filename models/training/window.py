"""A square part of a picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Window:
    """A square of `size` pixels at (`x`, `y`), all multiples of 8 to fit reduced planes."""

    x: int
    y: int
    size: int

    def __post_init__(self) -> None:
        if (
            min(self.x, self.y) < 0
            or self.size < 8
            or any(value % 8 for value in (self.x, self.y, self.size))
        ):
            raise ValueError(f"{self}: place and size are multiples of 8, within the picture")

    def cut(self, planes: Tensor, picture_size: int) -> Tensor:
        """The window of planes [..., h, w] that show a picture of `picture_size` pixels."""
        step = picture_size // planes.shape[-1]
        x, y, size = self.x // step, self.y // step, self.size // step
        return planes[..., y : y + size, x : x + size]
