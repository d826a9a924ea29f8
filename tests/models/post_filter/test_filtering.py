"""The post-filter as decoders run it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models.contract import Picture
from models.metrics.similarity import psnr
from models.post_filter import ENLARGING, WHOLE, filtering
from models.post_filter.filtering import PostFilter, load_post_filter
from models.training.hevc_coding import code_hevc

QP = 37


@pytest.fixture(scope="module")
def post_filter() -> PostFilter:
    return load_post_filter(WHOLE)


@pytest.fixture(scope="module")
def decoded() -> Picture:
    """The demo's face, coded."""
    _, [picture] = code_hevc([demo_still(256)], [37])
    return picture


def test_filtered_pictures_are_more_like_what_was_coded(
    post_filter: PostFilter, decoded: Picture
) -> None:
    still = demo_still(256)
    assert psnr(post_filter(decoded, 37), still) > psnr(decoded, still) + 0.03


def test_good_pictures_are_left_nearly_as_they_are(post_filter: PostFilter) -> None:
    still = demo_still(256)
    assert psnr(post_filter(still, 22), still) > 40


@pytest.mark.parametrize("size", [(256, 256), (250, 254), (255, 249), (8, 8), (2, 6)])
def test_any_size_comes_back(
    post_filter: PostFilter, decoded: Picture, size: tuple[int, int]
) -> None:
    height, width = size
    part = decoded[:height, :width]
    filtered = post_filter(part, QP)
    assert filtered.shape == part.shape
    assert filtered.dtype == np.uint8
    if min(size) > 200:
        whole = post_filter(decoded, QP)
        inside = slice(0, 100)
        assert psnr(filtered[inside, inside], whole[inside, inside]) > 50


@pytest.mark.parametrize("size", [(128, 128), (122, 126), (127, 121), (4, 6)])
def test_what_is_enlarged_has_twice_the_size(decoded: Picture, size: tuple[int, int]) -> None:
    enlarge = load_post_filter(ENLARGING)
    height, width = size
    part = decoded[:height, :width]
    enlarged = enlarge(part, QP)
    assert enlarged.shape == (2 * height, 2 * width, 3)
    assert enlarged.dtype == np.uint8
    plain = cv2.resize(part, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    assert psnr(enlarged, np.asarray(plain, np.uint8)) > 28


def test_large_pictures_are_enlarged_in_tiles(
    decoded: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    enlarge = load_post_filter(ENLARGING)
    tall = np.concatenate([decoded, decoded[::-1]])
    whole = enlarge(tall, QP)
    monkeypatch.setattr(filtering, "MOST_SAMPLES", 4 * 256 * (256 + 2 * filtering.OVERLAP))
    monkeypatch.setattr(filtering, "MOST_COLUMNS", 512)
    tiled = enlarge(tall, QP)
    assert tiled.shape == whole.shape == (1024, 512, 3)
    assert np.abs(tiled.astype(int) - whole).max() <= 3


@pytest.mark.parametrize("across", [False, True])
def test_large_pictures_are_filtered_in_tiles(
    post_filter: PostFilter, decoded: Picture, monkeypatch: pytest.MonkeyPatch, across: bool
) -> None:
    """What is needed in memory is bounded, and no border between tiles is seen."""
    tall = np.concatenate([decoded, decoded[::-1], decoded])
    picture = np.ascontiguousarray(tall.swapaxes(0, 1)) if across else tall
    whole = post_filter(picture, QP)
    runs: list[tuple[int, ...]] = []
    run = PostFilter._filtered

    def counted(self: PostFilter, picture: Picture, qp: int) -> Picture:
        runs.append(picture.shape)
        return run(self, picture, qp)

    monkeypatch.setattr(PostFilter, "_filtered", counted)
    most = 256 * (256 + 2 * filtering.OVERLAP)
    monkeypatch.setattr(filtering, "MOST_SAMPLES", most)
    monkeypatch.setattr(filtering, "MOST_COLUMNS", 256)
    tiled = post_filter(picture, QP)
    assert len(runs) == (12 if across else 3)
    assert all(height * width <= most for height, width, _ in runs)
    assert tiled.shape == whole.shape
    assert np.abs(tiled.astype(int) - whole).max() <= 3


@pytest.mark.parametrize(
    "size", [(1080, 1920), (304, 8192), (576, 16384), (16384, 576), (833, 1665), (2304, 4096)]
)
def test_what_tiles_overlap_is_little_whatever_the_shape(
    monkeypatch: pytest.MonkeyPatch, post_filter: PostFilter, size: tuple[int, int]
) -> None:
    """Time goes by the samples of a picture, memory by those of a tile."""
    runs: list[int] = []

    def brighter(self: PostFilter, picture: Picture, qp: int) -> Picture:
        assert qp == QP
        runs.append(picture.shape[0] * picture.shape[1])
        return np.asarray(picture + 1, np.uint8)

    monkeypatch.setattr(PostFilter, "_filtered", brighter)
    picture = np.zeros((*size, 3), np.uint8)
    picture[::2, ::3] = 7
    assert np.array_equal(post_filter(picture, QP), picture + 1)
    assert max(runs) <= filtering.MOST_SAMPLES
    assert sum(runs) < 1.5 * size[0] * size[1]
