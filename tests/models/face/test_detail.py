"""Sharpening a drawn face up to the detail of its key picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.contract import Float32Array, Picture
from models.face.detail import WANTED_SHARE, detail, restore_detail


@pytest.fixture(scope="module")
def landmarks() -> Float32Array:
    """Points all over the middle of the picture."""
    return np.random.default_rng(0).uniform(0.25, 0.75, (478, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def sharp() -> Picture:
    noise = np.random.default_rng(1).integers(60, 196, (128, 128, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.uint8)


def test_a_soft_face_gets_the_wanted_share(sharp: Picture, landmarks: Float32Array) -> None:
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.5), np.uint8)
    wanted = detail(sharp, landmarks)
    assert detail(soft, landmarks) < 0.75 * wanted
    restored = restore_detail(soft, landmarks, wanted)
    assert detail(restored, landmarks) == pytest.approx(WANTED_SHARE * wanted, rel=0.08)


def test_a_sharp_face_stays_as_it_is(sharp: Picture, landmarks: Float32Array) -> None:
    assert np.array_equal(restore_detail(sharp, landmarks, detail(sharp, landmarks)), sharp)


def test_strength_has_a_limit(sharp: Picture, landmarks: Float32Array) -> None:
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3.0), np.uint8)
    wanted = detail(sharp, landmarks)
    assert detail(restore_detail(soft, landmarks, wanted), landmarks) < 0.5 * wanted


def test_a_flat_face_has_nothing_to_restore(landmarks: Float32Array) -> None:
    flat = np.full((128, 128, 3), 90, np.uint8)
    assert np.array_equal(restore_detail(flat, landmarks, 100.0), flat)


def test_a_face_outside_the_picture_is_survived(sharp: Picture) -> None:
    outside = np.full((478, 2), 1.7, np.float32)
    assert restore_detail(sharp, outside, 1e6).shape == sharp.shape
