"""Coding pictures at half their width and height, for a post-filter that enlarges them again.

At few bits that looks better than all pixels coded coarsely, and the base codec takes less than
half of the time (docs/measured/post_filter.md).
"""

from __future__ import annotations

import cv2
import numpy as np

from gfvc.scaling import Size
from models.contract import Picture

FINER = 7
"""QP steps that halved pictures are coded finer: they take about as many bits so as whole ones."""

LEAST_KEY_QP = 31
"""Pictures are halved from this QP of key pictures on, as asked for of whole ones.

Below it bits are enough for all pixels.
"""

_LEAST_SIDE = 256


def can_be_halved(size: Size) -> bool:
    """Whether pictures of a size can: half of their sides are even, and none gets tiny."""
    return min(size) >= _LEAST_SIDE and size[0] % 4 == 0 and size[1] % 4 == 0


def halved(picture: Picture) -> Picture:
    """A picture uint8 [H, W, 3] of even sides, as [H / 2, W / 2, 3]: means of 2x2 pixels."""
    height, width = picture.shape[:2]
    return np.asarray(
        cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8
    )
