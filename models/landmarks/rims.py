"""Eyes and mouth as openings between two rims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.contract import Float32Array
from models.landmarks import points as groups


class Rims(NamedTuple):
    """Points of an eye or of the mouth: rims that lie above each other, and both corners."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    corners: tuple[int, int]

    def width(self, landmarks: Float32Array) -> float:
        """From corner to corner, of landmarks [478, 2]; never 0."""
        first, second = self.corners
        return max(float(np.linalg.norm(landmarks[first] - landmarks[second])), 1e-6)

    def opening(self, landmarks: Float32Array) -> float:
        """Mean gap between the rims over the width, of landmarks [478, 2]."""
        gap = np.linalg.norm(landmarks[list(self.upper)] - landmarks[list(self.lower)], axis=1)
        return float(gap.mean() / self.width(landmarks))

    def least_opening(self, keys: Sequence[Float32Array]) -> float:
        """The opening in the reference in which it is least, of landmarks [478, 2] of each."""
        return min(self.opening(key) for key in keys)

    def closed_beyond(self, landmarks: Float32Array, keys: Sequence[Float32Array]) -> float:
        """By which share of that it is closed, of landmarks [478, 2]; below 0 where it opens."""
        return 1 - self.opening(landmarks) / max(self.least_opening(keys), 1e-6)


def lids_of(contour: tuple[int, ...]) -> Rims:
    """All of an eye, of a contour from the outer corner along the lower lid, back by the upper."""
    return Rims(contour[:8:-1], contour[1:8], (contour[0], contour[8]))


def rising(value: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on, with a smooth rise between."""
    share = min(max((value - start) / (end - start), 0.0), 1.0)
    return share * share * (3 - 2 * share)


# All of the mouth: its contour runs from one corner along the upper lip, and back by the lower.
_INNER = groups.LIPS_INNER
LIPS = Rims(_INNER[1:10], _INNER[:10:-1], (_INNER[0], _INNER[10]))
# The middles of the inner lips, and of the lids.
MOUTH = Rims((81, 82, 13, 312, 311), (178, 87, 14, 317, 402), (78, 308))
RIGHT_LIDS = Rims((160, 159, 158), (144, 145, 153), (33, 133))
LEFT_LIDS = Rims((385, 386, 387), (380, 374, 373), (362, 263))
