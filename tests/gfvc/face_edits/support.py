"""What a face tracker measures in pictures, and how much of it may change unasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from benchmarks import face_edits
from models.contract import FloatArray, Picture
from models.landmarks import points as groups
from models.landmarks.tracking import FaceTracker

YAW, PITCH, ROLL, LIDS, LIPS = range(5)

# Of what is not asked for less may change: degrees, and eye distances. A tracker takes a jaw that
# drops for a head that is raised: by degrees for each eye distance.
STILL = np.array([1.5, 2.0, 1.5, 0.014, 0.014])
WITH_JAW = 28.0

UPPER_FACE = [
    *(groups.RIGHT_EYE_OUTER_CORNER, groups.LEFT_EYE_OUTER_CORNER),
    *(*groups.RIGHT_EYE, *groups.LEFT_EYE, *groups.RIGHT_BROW, *groups.LEFT_BROW, *groups.NOSE),
]

# What the tracker measures of filmed eyes that are closed, as a share of their opening: the median
# of docs/measured/face_edits.md.
LEFT_OF_LIDS = 0.21


def measured(pictures: Sequence[Picture]) -> FloatArray:
    """Yaw, pitch, roll (degrees), lids and lips (eye distances): [pictures, 5]; all have faces."""
    rows = face_edits.measured(pictures)
    assert not np.isnan(rows).any()
    return rows


def upper_face_moved(before: Sequence[Picture], after: Sequence[Picture]) -> float:
    """By how much eyes, brows and nose move in the picture: mean, in eye distances."""
    moves = []
    with FaceTracker() as tracker:
        for one, other in zip(before, after, strict=True):
            marks = [tracker.look(each) for each in (one, other)]
            first, second = (each[UPPER_FACE, :2] for each in marks if each is not None)
            distance = np.linalg.norm(first[0] - first[1])
            moves.append(np.linalg.norm(second - first, axis=1).mean() / distance)
    return float(np.mean(moves))


def share_of_opening(asked: Mapping[str, float]) -> float:
    """By how much of what was open before, an edit of one gain is to change it as measured."""
    ((name, value),) = asked.items()
    if name == "blink":
        return -min(value, 1 - LEFT_OF_LIDS)
    return value - 1


def assert_moved(change: FloatArray, moved: int, by: float) -> None:
    """One of the five changed as asked, and no other by more than it may."""
    assert change[moved] == pytest.approx(by, rel=0.15)
    others = np.abs(change) > STILL
    others[moved] = False
    if moved == LIPS:
        others[PITCH] = abs(change[PITCH]) > max(STILL[PITCH], WITH_JAW * abs(by))
    assert not others.any(), change
