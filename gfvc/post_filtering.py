"""Coded pictures after the post-filter, as they are shown and drawn from.

Encoder and decoder do the same here, so that what is drawn is described relative to what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gfvc.colour import is_grey, without_colour
from gfvc.face_square import FaceSquare
from models.contract import FloatArray, Picture
from models.post_filter import ENLARGING, FACES, WHOLE, enlargement

_CONTEXT = 16
"""Pixels around a square that the filter is shown, too: it needs them to filter its border."""

_AT_ONCE = 640 * 480
"""Pixels of pictures up to which several are filtered at the same time."""

_BORDER = 1 / 16
"""Sides of a square over which what is filtered begins, so that no edge shows."""


@dataclass(frozen=True, slots=True)
class PostFiltering:
    """What becomes of coded pictures before they are shown and drawn from.

    `number` is that of the user data (`models.post_filter`), 0 for none; `squares` are those of the
    faces, which some filters are kept to. True where it changes anything.
    """

    number: int = 0
    squares: tuple[FaceSquare, ...] = ()

    def __bool__(self) -> bool:
        return self.number in (WHOLE, ENLARGING) or (self.number == FACES and bool(self.squares))

    def __call__(self, picture: Picture, qp: int) -> Picture:
        """A decoded picture uint8 [height, width, 3], filtered; `enlargement` times as large.

        `qp` is the quantisation parameter that it is coded by. What is grey stays so. Raises
        `CheckpointError` where the filter's file is missing or altered.
        """
        if not self:
            return picture
        from models.post_filter.filtering import load_post_filter

        network = load_post_filter(self.number)
        if self.number == FACES:
            filtered = _within(picture, self.squares, lambda part: network(part, qp))
        else:
            filtered = network(picture, qp)
        return without_colour(filtered) if is_grey(picture) else filtered

    @property
    def enlargement(self) -> int:
        """How many times as wide and high as they are decoded pictures are afterwards."""
        return enlargement(self.number)

    def threads(self, width: int, height: int) -> int | None:
        """How many decoded pictures of a size are filtered at once: None for as many as suit.

        Each takes some 30 MB, if it is small.
        """
        return 1 if width * height * self.enlargement**2 > _AT_ONCE else None


UNFILTERED = PostFiltering()
"""Coded pictures as they are."""


def _within(
    picture: Picture, squares: Sequence[FaceSquare], network: Callable[[Picture], Picture]
) -> Picture:
    """A picture filtered in squares that lie in it, in their order where they overlap."""
    height, width = picture.shape[:2]
    result = picture.copy()
    for square in squares:
        top, left = max(0, square.top - _CONTEXT), max(0, square.left - _CONTEXT)
        around = picture[
            top : square.top + square.side + _CONTEXT, left : square.left + square.side + _CONTEXT
        ]
        inner = network(around)[square.top - top :, square.left - left :]
        inner = inner[: square.side, : square.side]
        shares = np.outer(
            _shares(square.top, square.side, height), _shares(square.left, square.side, width)
        )
        before = result[square.window]
        mixed = before + shares[..., None] * (inner.astype(np.float32) - before)
        result[square.window] = np.rint(mixed).astype(np.uint8)
    return result


def _shares(first: int, side: int, end: int) -> FloatArray:
    """How much of what is filtered is taken along a side [side]: less at its ends, 0..1.

    Not at one that is an end of the picture.
    """
    places = np.arange(side, dtype=np.float32) + 0.5
    away = np.full(side, np.inf, np.float32)
    if first > 0:
        away = np.minimum(away, places)
    if first + side < end:
        away = np.minimum(away, places[::-1])
    return np.minimum(away / (side * _BORDER), 1.0)
