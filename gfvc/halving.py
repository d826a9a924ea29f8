"""Coding pictures at half their width and height, for a post-filter that enlarges them again.

At few bits that looks better than all pixels coded coarsely, and the base codec takes less than
half of the time (docs/measured/post_filter.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from gfvc.face_square import FaceSquare
from gfvc.scaling import Size
from models.contract import Picture

FINER = 7
"""QP steps that halved pictures are coded finer: they take about as many bits so as whole ones."""

LEAST_KEY_QP = 31
"""Pictures are halved from this QP of key pictures on, as asked for of whole ones.

Below it bits are enough for all pixels.
"""

LEAST_SQUARE = 256
"""Side of face squares at least, as they are drawn: smaller faces lose by it."""

MOST_PIXELS = 640 * 480
"""Pixels of pictures at most: larger ones were not measured, and take longer to be enlarged."""

_LEAST_SIDE = 256


def can_be_halved(size: Size, squares: Sequence[FaceSquare]) -> bool:
    """Whether pictures of a size, with faces in some squares, may be halved.

    Half of their sides are even, and neither they nor a face get tiny. Without a square it is the
    face that fills a square picture.
    """
    width, height = size
    if min(size) < _LEAST_SIDE or width % 4 or height % 4 or width * height > MOST_PIXELS:
        return False
    if not squares:
        return width == height
    return min(square.side for square in squares) >= LEAST_SQUARE


def halved(picture: Picture) -> Picture:
    """A picture uint8 [H, W, 3] of even sides, as [H / 2, W / 2, 3]: means of 2x2 pixels."""
    height, width = picture.shape[:2]
    return np.asarray(
        cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8
    )
