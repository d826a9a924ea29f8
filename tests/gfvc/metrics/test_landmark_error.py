"""Landmark error against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.metrics import LandmarkError
from models.contract import FloatArray, Picture
from models.metrics.face import landmark_distance

BLANK = np.full((256, 256, 3), 90, np.uint8)


def test_landmark_distance_is_in_eye_distances(landmarks: FloatArray) -> None:
    assert landmark_distance(landmarks, landmarks) == 0
    moved = landmarks + np.array([0.02, 0.0, 5.0])
    assert landmark_distance(landmarks, moved) == pytest.approx(0.1)
    irises = landmarks.copy()
    irises[468:] += 1.0
    assert landmark_distance(landmarks, irises) == 0
    one = landmarks.copy()
    one[0, :2] += (0.03, 0.04)
    assert landmark_distance(landmarks, one) == pytest.approx(0.05 / 0.2 / 468)


def test_lost_and_missing_faces_are_counted(demo_pictures: list[Picture]) -> None:
    measure = LandmarkError()
    assert measure.add(demo_pictures[0], demo_pictures[0]) is not None
    assert measure.add(demo_pictures[0], BLANK) is not None
    assert measure.add(BLANK, demo_pictures[0]) is None
    measure.close()
    assert (measure.lost, measure.skipped) == (1, 1)
    assert measure.errors == [0.0, 1.0]
    assert measure.mean == 0.5


def test_nothing_measured_is_no_number() -> None:
    assert np.isnan(LandmarkError().mean)
