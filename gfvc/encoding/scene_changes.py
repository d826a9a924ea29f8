"""Finding where scenes change: cuts from one to another, and pictures within a fade.

A fade goes from black, to white, or from one scene to another.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray, Picture
from models.metrics.similarity import luma

_THUMBNAIL = 32
# Mean absolute difference of thumbnails, of 255: people who move stay below a third of it.
MIN_DIFFERENCE = 18.0
# How much larger than usual the difference at a cut is.
MIN_RATIO = 5.0
# Weight of the latest picture in what is usual.
_LATEST = 0.1
# A flash is over after this long, a few in a row too: what comes back later is a scene that starts
# again. Hardly any shot of a film is as short.
FLASH_SECONDS = Fraction(1, 2)


# Above this mean absolute difference one picture does not stand for another.
MOST_UNLIKE = 10.0
# Mean luma of thumbnails of one scene, lit alike, differs by less than this within half a second,
# of 255, and the logarithm to base 2 of their contrast by less than that, whoever moves.
LIGHT, CONTRAST = 16.0, 0.4


@dataclass(frozen=True, slots=True)
class Glance:
    """What is seen of a picture at a glance: luma of a thumbnail, float [32, 32], 0..255."""

    thumbnail: FloatArray

    @staticmethod
    def at(picture: Picture) -> Glance:
        """What is seen of a picture, uint8 RGB [height, width, 3]."""
        size = (_THUMBNAIL, _THUMBNAIL)
        return Glance(luma(np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))))

    def difference(self, other: Glance) -> float:
        """Mean absolute difference, 0..255."""
        return float(np.abs(self.thumbnail - other.thumbnail).mean())

    def is_lit_like(self, other: Glance) -> bool:
        """Whether brightness and contrast are about the same, as they are not within a fade."""
        one, two = self.thumbnail, other.thumbnail
        contrast = abs(np.log2((one.std() + 1) / (two.std() + 1)))
        return bool(abs(one.mean() - two.mean()) < LIGHT and contrast < CONTRAST)

    def is_like(self, other: Glance) -> bool:
        """Whether one may stand for the other, but for what moves a little."""
        return self.difference(other) < MOST_UNLIKE and self.is_lit_like(other)


class SceneCuts:
    """Compares each picture with the one before, at a glance.

    A cut is where they differ by much, and by much more than pictures did lately. The end of a
    flash, where the picture is soon again what it was before the last cut, does not count as a cut.
    There are `rate` pictures a second.
    """

    def __init__(self, rate: Fraction) -> None:
        self._flash = math.ceil(FLASH_SECONDS * rate)  # pictures of a flash at most
        self._previous: Glance | None = None
        self._before_cut: Glance | None = None
        self._since_cut = 0  # pictures since then
        self._usual = 0.0

    def is_cut(self, picture: Glance) -> bool:
        """Whether a new scene starts with the next picture."""
        previous, self._previous = self._previous, picture
        if previous is None:
            return False
        difference = picture.difference(previous)
        is_cut = difference >= max(MIN_DIFFERENCE, MIN_RATIO * self._usual)
        self._usual += _LATEST * (difference - self._usual)
        self._since_cut += 1
        if not is_cut:
            return False
        before, self._before_cut = self._before_cut, previous
        lasted, self._since_cut = self._since_cut, 0
        if before is None or lasted > self._flash:
            return True
        return picture.difference(before) >= MIN_DIFFERENCE


@dataclass(frozen=True, slots=True)
class FadeSight:
    """How a fade is looked for: in thumbnails, `side`×`side` RGB.

    Changes over some times, in seconds, are compared with those over the same time before, and have
    at least the cosine beside it with them. A short time finds quick fades, a long one those around
    a head that moves.
    """

    side: int
    steps: tuple[tuple[float, float], ...]


EVERY_FADE = FadeSight(16, ((0.12, 0.75), (0.48, 0.7)))
"""Sees nearly every fade; a camera or a head that turns looks like one for a moment."""

SURE_FADE = FadeSight(64, ((0.12, 0.65), (0.48, 0.6)))
"""Sees what turns change one pixel after the other; heads that move hide a fade for a while."""

# Mean absolute change over a step, of 255: noise does not reach it.
LEAST_CHANGE = 1.0


class Fades:
    """Looks at the changes of thumbnails of successive pictures.

    In a fade every pixel goes on as it did: the change of a while has the direction of that before.
    """

    def __init__(self, rate: Fraction, sight: FadeSight = EVERY_FADE) -> None:
        self._size = sight.side, sight.side
        self._steps = [(max(1, round(seconds * rate)), cosine) for seconds, cosine in sight.steps]
        longest = max(step for step, _ in self._steps)
        self._thumbnails: deque[npt.NDArray[np.float32]] = deque(
            maxlen=2 * longest + 1
        )  # the last one first

    def is_fading(self, picture: Picture) -> bool:
        """Whether the next picture, uint8 RGB [height, width, 3], lies within a fade."""
        thumbnail = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        self._thumbnails.appendleft(np.asarray(thumbnail, np.float32).ravel())
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
