"""The pyramid's filters, and what CW-SSIM forgives and does not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.contract import Picture
from models.metrics.similarity import ssim
from models.metrics.wavelet_similarity import _bands, _filters, cw_ssim


def grating(period: float, turn: float, phase: float = 0.0) -> Picture:
    """A cosine of amplitude 100 whose waves run along `turn` radians from the x axis."""
    rows, columns = np.mgrid[:128, :128]
    along = columns * np.cos(turn) + rows * np.sin(turn)
    wave = 128 + 100 * np.cos(2 * np.pi * along / period + phase)
    return np.repeat(np.rint(wave).astype(np.uint8)[..., None], 3, axis=2)


def test_the_filters_share_out_the_spectrum() -> None:
    """Squares of all bands, and of their mirror images, sum to 1 where two scales meet."""
    total = np.zeros((64, 64))
    for masks, window in _filters(64, 64):
        for mask in masks.astype(np.float64):
            total[window] += (mask / 2) ** 2
    mirrored = np.roll(total[::-1, ::-1], (1, 1), (0, 1))
    rows, columns = np.mgrid[-32:32, -32:32]
    radius = np.hypot(rows, columns) / 32
    within = (radius >= 1 / 16) & (radius <= 1 / 2)
    np.testing.assert_allclose((total + mirrored)[within], 1, atol=1e-5)


@pytest.mark.parametrize(("period", "scale"), [(4, 0), (8, 1), (16, 2), (32, 3)])
def test_a_wave_falls_into_its_scale_and_orientation(period: int, scale: int) -> None:
    strength = [np.abs(band).mean(axis=(1, 2)) for band in _bands(grating(period, 0.0))]
    assert np.argmax([band.max() for band in strength]) == scale
    assert strength[scale].argmax() == 0
    # Among eight orientations the best takes the most, but not all, of an amplitude of 100.
    assert 50 < strength[scale][0] < 100


def test_a_shifted_wave_is_the_same_and_another_is_not() -> None:
    wave = grating(8, 0.0)
    assert cw_ssim(wave, wave) == pytest.approx(1, abs=1e-6)
    shifted = grating(8, 0.0, phase=np.pi / 2)
    assert cw_ssim(wave, shifted) > 0.99
    assert ssim(wave, shifted) < 0.1
    assert cw_ssim(wave, grating(8, np.pi / 2)) < 0.9


def test_a_shift_costs_less_than_lost_detail(demo_pictures: list[Picture]) -> None:
    picture = demo_pictures[0]
    shifted = np.roll(picture, 1, axis=1)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), np.uint8)
    assert cw_ssim(picture, shifted) > cw_ssim(picture, blurred) + 0.03
    noise = np.random.default_rng(0).integers(0, 256, picture.shape, np.uint8)
    assert cw_ssim(picture, noise) < 0.5


def test_odd_sizes_and_small_pictures(demo_pictures: list[Picture]) -> None:
    odd = demo_pictures[0][:101, :75]
    assert cw_ssim(odd, odd) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="at least 56"):
        cw_ssim(odd[:50], odd[:50])
