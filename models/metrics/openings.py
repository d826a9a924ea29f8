"""How far lids and lips are open, from landmarks, and how well one course of it follows another.

An opening is a mean of distances between points of the upper and the lower rim, in the picture's
plane, over the distance of the outer eye corners in the same picture: so it does not change with
the size of the face. After the eye aspect ratio of Soukupová and Čech, "Real-time eye blink
detection using facial landmarks", 2016, which divides by the width of the eye itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.contract import FloatArray
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER

# Points of the upper and of the lower rim that lie above each other: the middle of the contour.
RIGHT_LIDS = ((160, 144), (159, 145), (158, 153))
LEFT_LIDS = ((387, 373), (386, 374), (385, 380))
LIPS = ((82, 87), (13, 14), (312, 317))

LEAST_MOTION = 0.004
"""Standard deviation of a source's opening, in eye distances, from which on it moves at all.

Landmarks of a face that holds still differ by less from picture to picture.
"""


@dataclass(frozen=True, slots=True)
class Openings:
    """Openings of a face in eye distances: of the person's right and left lids, of the lips."""

    right_lids: float
    left_lids: float
    lips: float

    @property
    def lids(self) -> float:
        """Mean of both eyes."""
        return (self.right_lids + self.left_lids) / 2


def openings(landmarks: FloatArray) -> Openings:
    """Openings of landmarks [478, 2 or 3] of a square picture."""
    eyes = landmarks[RIGHT_EYE_OUTER_CORNER, :2] - landmarks[LEFT_EYE_OUTER_CORNER, :2]
    scale = float(np.linalg.norm(eyes))
    right, left, lips = (
        float(
            np.mean([np.linalg.norm(landmarks[up, :2] - landmarks[down, :2]) for up, down in rim])
        )
        / scale
        for rim in (RIGHT_LIDS, LEFT_LIDS, LIPS)
    )
    return Openings(right, left, lips)


def lid_error(source: Openings, decoded: Openings) -> float:
    """Mean over both eyes of how far the openings of the lids differ, in eye distances."""
    right = abs(decoded.right_lids - source.right_lids)
    return (right + abs(decoded.left_lids - source.left_lids)) / 2


def lip_error(source: Openings, decoded: Openings) -> float:
    """How far the openings of the lips differ, in eye distances."""
    return abs(decoded.lips - source.lips)


def course_correlation(source: Sequence[float], decoded: Sequence[float | None]) -> float | None:
    """Pearson's correlation of two courses over time, -1..1.

    None where the source hardly moves (`LEAST_MOTION`): there is nothing to follow. A decoded
    course that stands still follows nothing and counts 0. A picture without decoded value counts
    the mean of the others, which tells nothing either.
    """
    wanted = np.array(source, np.float64)
    if not wanted.size or float(wanted.std()) < LEAST_MOTION:
        return None
    found = np.array([np.nan if value is None else value for value in decoded], np.float64)
    present = ~np.isnan(found)
    if not present.any():
        return 0.0
    change = np.where(present, found - found[present].mean(), 0.0)
    spread = float(np.sqrt((change**2).mean()))
    if spread < np.finfo(np.float32).eps:  # all equal, but for rounding
        return 0.0
    return float((change * (wanted - wanted.mean())).mean() / (spread * wanted.std()))
