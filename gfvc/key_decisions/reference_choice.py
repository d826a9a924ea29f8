"""Choosing which of the last key pictures drives a picture: the one from which it differs least.

Quality falls with the distance between the driven face and that of its key picture. Distance is
how far landmarks lie apart on the mean (`AnimationModel.value_weights`), pose and expression
alike. A change of the reference costs some hundred bits and is seen, so that it has to be much
nearer, and to stay for a while.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gfvc.video_reader import Picture
from models import Analyser, Analysis, AnimationModel
from models.contract import FloatArray

CHECKS_PER_SECOND = 5
# Another key picture is taken when its distance is at most this share of the current one's,
NEARER = 0.5
# and smaller by this much, in hundredths of the distance of the eyes,
NEARER_BY = 8.0
# and the last change is this many seconds old.
SPACING_SECONDS = Fraction(1)


@dataclass(frozen=True, slots=True)
class _Key:
    analysis: Analysis
    weights: FloatArray | None


class ReferenceChoice:
    """The last `pool` key pictures, and which of them is the reference of the picture at hand.

    `back` says how many key pictures before the last one it lies. `rate` is in pictures per second.
    """

    def __init__(self, model: AnimationModel, pool: int, rate: Fraction) -> None:
        self._model = model
        self._keys: deque[_Key] = deque(maxlen=pool)  # the last one first
        self._every = max(1, round(rate / CHECKS_PER_SECOND))
        self._spacing = math.ceil(SPACING_SECONDS * rate)
        self._since_check = 0
        self._since_change = 0
        self.back = 0

    def key_sent(self, analysis: Analysis) -> None:
        """A key picture was sent, and is the reference from here on."""
        self._keys.appendleft(_Key(analysis, self._model.value_weights(analysis.parameters)))
        self.back = self._since_check = 0
        # It may have come by the clock: an earlier one may be taken at once.
        self._since_change = self._spacing

    def analyse(
        self, analyser: Analyser, picture: Picture, *, may_change: bool = True
    ) -> Analysis | None:
        """Analyse a picture against the reference that suits it; None when it shows no face."""
        found = analyser.analyse(picture, self._keys[self.back].analysis)
        self._since_check += 1
        self._since_change += 1
        due = self._since_check >= self._every and self._since_change >= self._spacing
        if found is None or len(self._keys) == 1 or not due or not may_change:
            return found
        self._since_check = 0
        nearest, distance = self.back, self._distance(self.back, found)
        if distance < NEARER_BY:
            return found
        limit = min(NEARER * distance, distance - NEARER_BY)
        for back, key in enumerate(self._keys):
            other = None if back == self.back else analyser.analyse(picture, key.analysis)
            if other is not None and self._distance(back, other) <= limit:
                limit = self._distance(back, other)
                found, nearest = other, back
        if nearest != self.back:
            self.back, self._since_change = nearest, 0
        return found

    def _distance(self, back: int, found: Analysis) -> float:
        key = self._keys[back]
        flatten = self._model.layout.flatten
        difference = flatten(found.parameters) - flatten(key.analysis.parameters)
        return face_distance(difference, key.weights)


def face_distance(difference: FloatArray, weights: FloatArray | None) -> float:
    """How far a face lies from that of its key picture, in hundredths of the distance of the eyes.

    `difference` [values] is that of their parameters; `weights` are those of
    `AnimationModel.value_weights`. A model without them sends keypoints or matrices of a size
    about 1, whose differences count as hundredths of that.
    """
    if weights is None:
        return float(100 * np.sqrt((difference**2).mean()))
    return float(np.sqrt(difference**2 @ weights))
