"""PSNR, SSIM and MS-SSIM against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from models.contract import FloatArray, Picture
from models.metrics.similarity import luma, ms_ssim, psnr, ssim, ssim_map

BLANK = np.full((256, 256, 3), 90, np.uint8)


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


def plain_luma(picture: Picture) -> FloatArray:
    return np.asarray(picture @ np.array([0.2126, 0.7152, 0.0722]), np.float64)


def plain_similarity(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The formulas of the paper, written out, window by window: both factors of each window."""
    place = np.arange(11) - 5
    line = np.exp(-(place**2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2
    a, b = (sliding_window_view(plane, (11, 11)) for plane in (first, second))
    mean_a, mean_b = ((w * weights).sum(axis=(2, 3)) for w in (a, b))
    off_a, off_b = a - mean_a[..., None, None], b - mean_b[..., None, None]
    spread = ((off_a**2 + off_b**2) * weights).sum(axis=(2, 3))
    shared = (off_a * off_b * weights).sum(axis=(2, 3))
    brightness = (2 * mean_a * mean_b + 6.5025) / (mean_a**2 + mean_b**2 + 6.5025)
    return brightness, (2 * shared + 58.5225) / (spread + 58.5225)


def test_ssim_is_that_of_the_paper(demo_pictures: list[Picture]) -> None:
    first, second = demo_pictures[0][:80, :96], demo_pictures[9][:80, :96]
    brightness, structure = plain_similarity(plain_luma(first), plain_luma(second))
    expected = brightness * structure
    assert expected.min() < 0.9
    # At the border of the picture the paper has no windows.
    np.testing.assert_allclose(ssim_map(first, second)[5:-5, 5:-5], expected, atol=1e-9)


def test_similarities_are_those_of_scikit_image(demo_pictures: list[Picture]) -> None:
    """To the edges, where the paper says nothing: mirrored, the samples at the edge doubled."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    first, second = demo_pictures[0][:75, :98], demo_pictures[9][:75, :98]
    _, expected = structural_similarity(
        plain_luma(first),
        plain_luma(second),
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    np.testing.assert_allclose(ssim_map(first, second), expected, atol=1e-9)
    assert psnr(first, second) == pytest.approx(peak_signal_noise_ratio(first, second), abs=1e-9)


def plain_ms_ssim(first: Picture, second: Picture) -> float:
    """The formulas of the paper, written out: scales by means of 2×2."""
    planes = [plain_luma(first), plain_luma(second)]
    exponents = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    count = sum(min(planes[0].shape) // 2**scale >= 11 for scale in range(5))
    score = 1.0
    for scale in range(count):
        brightness, value = plain_similarity(*planes)
        if scale == count - 1:
            value = value * brightness
        score *= max(value.mean(), 0) ** (exponents[scale] / sum(exponents[:count]))
        even = [n // 2 * 2 for n in planes[0].shape]
        planes = [
            plane[: even[0], : even[1]].reshape(even[0] // 2, 2, even[1] // 2, 2).mean(axis=(1, 3))
            for plane in planes
        ]
    return score


@pytest.mark.parametrize("size", [64, 100, 176])
def test_ms_ssim_is_that_of_the_paper(demo_pictures: list[Picture], size: int) -> None:
    first, second = (picture[:size, :size] for picture in (demo_pictures[0], demo_pictures[9]))
    expected = plain_ms_ssim(first, second)
    assert ms_ssim(first, second) == pytest.approx(expected, abs=1e-9)
    assert expected < 0.999


def test_ms_ssim_of_equal_and_of_inverted_pictures(demo_pictures: list[Picture]) -> None:
    picture = demo_pictures[0]
    assert ms_ssim(picture, picture) == pytest.approx(1)
    assert ms_ssim(picture, np.asarray(255 - picture, np.uint8)) == 0
