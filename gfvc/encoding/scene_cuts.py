"""Finding cuts from one scene to another."""

from __future__ import annotations

import cv2
import numpy as np

from gfvc.metrics import luma
from models.contract import FloatArray, Picture

_THUMBNAIL = 32
# Mean absolute difference of thumbnails, of 255: people who move stay below a third of it.
MIN_DIFFERENCE = 18.0
# How much larger than usual the difference at a cut is.
MIN_RATIO = 5.0
# Weight of the latest picture in what is usual.
_LATEST = 0.1


class SceneCuts:
    """Compares each picture with the one before, thumbnails of luma, 32×32.

    A cut is where they differ by much, and by much more than pictures did lately. The end of a
    flash, where the picture is again what it was before the last cut, does not count as a cut.
    """

    def __init__(self) -> None:
        self._previous: FloatArray | None = None
        self._before_cut: FloatArray | None = None
        self._usual = 0.0

    def is_cut(self, picture: Picture) -> bool:
        """Whether a new scene starts with this picture, uint8 RGB [height, width, 3]."""
        size = (_THUMBNAIL, _THUMBNAIL)
        thumbnail = luma(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)))
        previous, self._previous = self._previous, thumbnail
        if previous is None:
            return False
        difference = float(np.abs(thumbnail - previous).mean())
        is_cut = difference >= max(MIN_DIFFERENCE, MIN_RATIO * self._usual)
        self._usual += _LATEST * (difference - self._usual)
        if not is_cut:
            return False
        before, self._before_cut = self._before_cut, previous
        return before is None or float(np.abs(thumbnail - before).mean()) >= MIN_DIFFERENCE
