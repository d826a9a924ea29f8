"""The post-filter as decoders run it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models.contract import Picture
from models.metrics.similarity import psnr
from models.post_filter import filtering
from models.post_filter.filtering import PostFilter, load_post_filter
from models.training.hevc_coding import code_hevc


@pytest.fixture(scope="module")
def post_filter() -> PostFilter:
    return load_post_filter()


@pytest.fixture(scope="module")
def decoded() -> Picture:
    """The demo's face, coded."""
    _, [picture] = code_hevc([demo_still(256)], [37])
    return picture


def test_filtered_pictures_are_more_like_what_was_coded(
    post_filter: PostFilter, decoded: Picture
) -> None:
    still = demo_still(256)
    assert psnr(post_filter(decoded), still) > psnr(decoded, still) + 0.03


def test_good_pictures_are_left_nearly_as_they_are(post_filter: PostFilter) -> None:
    still = demo_still(256)
    assert psnr(post_filter(still), still) > 40


@pytest.mark.parametrize("size", [(256, 256), (250, 254), (255, 249), (8, 8), (2, 6)])
def test_any_size_comes_back(
    post_filter: PostFilter, decoded: Picture, size: tuple[int, int]
) -> None:
    height, width = size
    part = decoded[:height, :width]
    filtered = post_filter(part)
    assert filtered.shape == part.shape
    assert filtered.dtype == np.uint8
    if min(size) > 200:
        whole = post_filter(decoded)
        inside = slice(0, 100)
        assert psnr(filtered[inside, inside], whole[inside, inside]) > 50


def test_large_pictures_are_filtered_in_bands(
    post_filter: PostFilter, decoded: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is needed in memory is bounded, and no border between bands is seen."""
    tall = np.concatenate([decoded, decoded[::-1], decoded])
    whole = post_filter(tall)
    runs: list[tuple[int, ...]] = []
    run = PostFilter._filtered

    def counted(self: PostFilter, picture: Picture) -> Picture:
        runs.append(picture.shape)
        return run(self, picture)

    monkeypatch.setattr(PostFilter, "_filtered", counted)
    most = 256 * (256 + 2 * filtering.OVERLAP)
    monkeypatch.setattr(filtering, "MOST_SAMPLES", most)
    banded = post_filter(tall)
    assert len(runs) == 3
    assert all(height * width <= most for height, width, _ in runs)
    assert banded.shape == whole.shape
    assert np.abs(banded.astype(int) - whole).max() <= 3


def test_wide_pictures_have_bands_too(
    post_filter: PostFilter, decoded: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However wide a picture is, a band has rows of its own."""
    monkeypatch.setattr(filtering, "MOST_SAMPLES", 1000)
    monkeypatch.setattr(filtering, "OVERLAP", 8)
    small = np.asarray(cv2.resize(decoded, (64, 40)), np.uint8)
    assert post_filter(small).shape == small.shape
