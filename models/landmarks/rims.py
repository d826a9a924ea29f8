"""Eyes and mouth as openings between two rims."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from models.landmarks.flow import Float32Array


class Rims(NamedTuple):
    """Points of an eye or of the mouth: rims that lie above each other, and both corners."""

    upper: tuple[int, ...]
    lower: tuple[int, ...]
    corners: tuple[int, int]

    def opening(self, landmarks: Float32Array) -> float:
        """Mean gap between the rims over the width from corner to corner; landmarks [478, 2]."""
        first, second = self.corners
        gap = np.linalg.norm(landmarks[list(self.upper)] - landmarks[list(self.lower)], axis=1)
        width = np.linalg.norm(landmarks[first] - landmarks[second])
        return float(gap.mean() / max(float(width), 1e-6))


# The middles of the inner lips, and of the lids.
MOUTH = Rims((81, 82, 13, 312, 311), (178, 87, 14, 317, 402), (78, 308))
RIGHT_LIDS = Rims((160, 159, 158), (144, 145, 153), (33, 133))
LEFT_LIDS = Rims((385, 386, 387), (380, 374, 373), (362, 263))
