"""PSNR, SSIM and MS-SSIM against their definitions and a second implementation."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.metrics import luma, ms_ssim, psnr, ssim, ssim_map
from gfvc.video_reader import Picture

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


@pytest.mark.parametrize("size", [64, 100, 176, 256])
def test_ms_ssim_is_that_of_the_tensors(demo_pictures: list[Picture], size: int) -> None:
    import torch

    from models.training import quality

    pair = [picture[:size, :size] for picture in (demo_pictures[0], demo_pictures[9])]
    tensors = [torch.tensor(one).permute(2, 0, 1)[None].double() / 255 for one in pair]
    expected = float(quality.ms_ssim(*tensors))
    assert ms_ssim(*pair) == pytest.approx(expected, abs=1e-6)
    assert expected < 0.999


def test_ms_ssim_of_equal_and_of_inverted_pictures(demo_pictures: list[Picture]) -> None:
    picture = demo_pictures[0]
    assert ms_ssim(picture, picture) == pytest.approx(1)
    assert ms_ssim(picture, np.asarray(255 - picture, np.uint8)) == 0
