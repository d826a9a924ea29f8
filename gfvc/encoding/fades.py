"""Finding pictures within a fade: from black, to white, or from one scene to another."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import cv2
import numpy as np

from gfvc.video_reader import Picture
from models.contract import FloatArray

_THUMBNAIL = 16
# Changes over this time are compared with those over the same time before.
STEP_SECONDS = 0.12
# In a fade every pixel goes on as it did. What moves changes one pixel after the other.
LEAST_COSINE = 0.8
# Mean absolute change over a step, of 255: noise does not reach it.
LEAST_CHANGE = 1.0


class Fades:
    """Looks at the changes of thumbnails, 16×16 RGB, of successive pictures.

    In a fade, the change of the last 0.12 s has the direction of the change before it. A moving
    camera looks alike for a moment, so that a fade alone says little of a picture.
    """

    def __init__(self, rate: Fraction) -> None:
        self._step = max(1, round(STEP_SECONDS * rate))
        self._thumbnails: deque[FloatArray] = deque(maxlen=2 * self._step + 1)

    def is_fading(self, picture: Picture) -> bool:
        """Whether the next picture, uint8 RGB [height, width, 3], lies within a fade."""
        size = (_THUMBNAIL, _THUMBNAIL)
        thumbnail = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        self._thumbnails.append(np.asarray(thumbnail, np.float64).ravel())
        if len(self._thumbnails) < 2 * self._step + 1:
            return False
        first, middle, last = (self._thumbnails[n * self._step] for n in range(3))
        before, now = middle - first, last - middle
        if min(np.abs(before).mean(), np.abs(now).mean()) < LEAST_CHANGE:
            return False
        return float(before @ now) > LEAST_COSINE * float(
            np.linalg.norm(before) * np.linalg.norm(now)
        )
