"""Regions that landmarks mark, and the sharpness measured in one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.contract import FloatArray
from models.landmarks.points import LIPS_OUTER
from models.metrics.face import face_region, mouth_region
from models.metrics.similarity import laplacian_variance


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


def test_the_face_region_leaves_the_irises_out(landmarks: FloatArray) -> None:
    landmarks[:468, :2] = landmarks[:468, :2].clip(0.35, 0.65)
    landmarks[0, :2], landmarks[1, :2] = (0.25, 0.5), (0.75, 0.5)
    landmarks[470, :2] = (0.01, 0.01)
    rows, columns = face_region(landmarks, 100, 200)
    assert (columns.start, columns.stop) == (25, 75)
    assert rows.start >= 60
    assert rows.stop <= 140


def test_a_region_outside_of_the_picture_still_has_a_pixel(landmarks: FloatArray) -> None:
    rows, columns = face_region(landmarks + 3, 100, 100)
    assert (rows, columns) == (slice(99, 100), slice(99, 100))


def test_sharpness_by_hand() -> None:
    picture = np.zeros((7, 9, 3), np.uint8)
    picture[3, 4] = 10
    # The Laplacian is -40 at the point, 10 at its four neighbours, 0 elsewhere.
    everywhere = (slice(0, 7), slice(0, 9))
    expected = (40**2 + 4 * 10**2) / 63
    assert laplacian_variance(picture, everywhere) == pytest.approx(expected)
    assert laplacian_variance(picture, (slice(0, 2), slice(0, 2))) == 0
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1), np.uint8)
    assert laplacian_variance(blurred, everywhere) < expected / 4
