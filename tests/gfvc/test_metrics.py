"""Measures against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.metrics import (
    LandmarkError,
    landmark_distance,
    luma,
    mouth_region,
    psnr,
    ssim,
    ssim_map,
)
from gfvc.video_reader import Picture
from models.contract import FloatArray
from models.landmarks import LIPS_OUTER

BLANK = np.full((256, 256, 3), 90, np.uint8)


@pytest.fixture
def landmarks() -> FloatArray:
    """Random points, the outer eye corners a fifth of the picture apart."""
    points = np.random.default_rng(0).uniform(0.3, 0.7, (478, 3))
    points[33], points[263] = (0.4, 0.4, 0.0), (0.6, 0.4, 0.0)
    return points


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


def test_luma_is_that_of_bt709() -> None:
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_allclose(luma(picture), [[54.213, 182.376, 18.411, 255.0]])


def test_psnr_by_hand() -> None:
    assert psnr(BLANK, BLANK) == float("inf")
    assert psnr(BLANK, BLANK + np.uint8(1)) == pytest.approx(48.13, abs=0.01)


def test_ssim_of_equal_and_of_unrelated_pictures() -> None:
    random = np.random.default_rng(0)
    noise = [random.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(2)]
    assert ssim(noise[0], noise[0]) == pytest.approx(1)
    assert abs(ssim(*noise)) < 0.1
    assert ssim_map(*noise).shape == (64, 64)


def test_the_mouth_region_is_the_box_of_the_lips_half_as_large_again(
    landmarks: FloatArray,
) -> None:
    landmarks[list(LIPS_OUTER), :2] = (0.5, 0.6)
    landmarks[LIPS_OUTER[0], :2] = (0.4, 0.55)
    landmarks[LIPS_OUTER[1], :2] = (0.6, 0.65)
    rows, columns = mouth_region(landmarks, 200, 100)
    assert (columns.start, columns.stop) == (70, 130)
    assert rows.start in (52, 53)
    assert rows.stop in (67, 68)
    landmarks[LIPS_OUTER[0], :2] = (-2.0, -2.0)
    rows, columns = mouth_region(landmarks, 200, 100)
    assert (rows.start, columns.start) == (0, 0)


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
