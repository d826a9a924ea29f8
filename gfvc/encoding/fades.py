"""Finding pictures within a fade: from black, to white, or from one scene to another."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import cv2
import numpy as np

from gfvc.video_reader import Picture
from models.contract import FloatArray

_THUMBNAIL = 16
# Changes over these times, in seconds, are compared with those over the same time before, and have
# at least this cosine with them. In a fade every pixel goes on as it did. What moves changes one
# pixel after the other. A short time finds quick fades, a long one those around a head that moves.
STEPS = ((0.12, 0.75), (0.48, 0.7))
# Mean absolute change over a step, of 255: noise does not reach it.
LEAST_CHANGE = 1.0


class Fades:
    """Looks at the changes of thumbnails, 16×16 RGB, of successive pictures.

    In a fade, the change of a while has the direction of the change before it. A camera or a head
    that turns looks alike for a moment, so that a fade alone says little of a picture.
    """

    def __init__(self, rate: Fraction) -> None:
        self._steps = [(max(1, round(seconds * rate)), cosine) for seconds, cosine in STEPS]
        longest = max(step for step, _ in self._steps)
        self._thumbnails: deque[FloatArray] = deque(maxlen=2 * longest + 1)  # the last one first

    def is_fading(self, picture: Picture) -> bool:
        """Whether the next picture, uint8 RGB [height, width, 3], lies within a fade."""
        size = (_THUMBNAIL, _THUMBNAIL)
        thumbnail = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        self._thumbnails.appendleft(np.asarray(thumbnail, np.float64).ravel())
        return any(self._goes_on(step, cosine) for step, cosine in self._steps)

    def _goes_on(self, step: int, cosine: float) -> bool:
        """Whether the last so many pictures changed as those before."""
        if len(self._thumbnails) < 2 * step + 1:
            return False
        last, middle, first = (self._thumbnails[n * step] for n in range(3))
        before, now = middle - first, last - middle
        if min(np.abs(before).mean(), np.abs(now).mean()) < LEAST_CHANGE:
            return False
        lengths = float(np.linalg.norm(before) * np.linalg.norm(now))
        return float(before @ now) > cosine * lengths
