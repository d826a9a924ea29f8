from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_codec_adapters import BaseCodecError, Picture420, RequestInvalidError
from base_codec_adapters.pictures import picture_from_raw, raw_picture_size, write_raw_video


def random_picture(width: int, height: int, seed: int = 0) -> Picture420:
    random = np.random.default_rng(seed)
    planes = [
        random.integers(0, 256, shape, dtype=np.uint8)
        for shape in ((height, width), (height // 2, width // 2), (height // 2, width // 2))
    ]
    return Picture420(*planes)


def planes_equal(first: Picture420, second: Picture420) -> bool:
    return all(np.array_equal(getattr(first, p), getattr(second, p)) for p in "yuv")


def test_size_and_read_only() -> None:
    y = np.zeros((4, 6), np.uint8)
    picture = Picture420(y, np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8))
    assert (picture.width, picture.height) == (6, 4)
    with pytest.raises(ValueError, match="read-only"):
        picture.y[0, 0] = 1
    y[0, 0] = 7  # the caller's array stays the caller's
    with pytest.raises(AttributeError):
        picture.y = y  # type: ignore[misc]


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        (((3, 4), (1, 2), (1, 2)), "even"),
        (((4, 5), (2, 2), (2, 2)), "even"),
        (((0, 4), (0, 2), (0, 2)), "positive"),
        (((4, 4, 3), (2, 2), (2, 2)), "luma plane has shape"),
        (((4, 4), (4, 4), (2, 2)), r"plane u has shape \(4, 4\) where 4:2:0 needs \(2, 2\)"),
        (((4, 4), (2, 2), (1, 2)), "plane v has shape"),
    ],
)
def test_wrong_shapes(planes: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(RequestInvalidError, match=message):
        Picture420(*(np.zeros(shape, np.uint8) for shape in planes))


@pytest.mark.parametrize("plane", [np.zeros((2, 2), np.float32), [[0, 0], [0, 0]]])
def test_wrong_types(plane: Any) -> None:
    with pytest.raises(RequestInvalidError, match="plane v is"):
        Picture420(np.zeros((4, 4), np.uint8), np.zeros((2, 2), np.uint8), plane)
    assert issubclass(RequestInvalidError, BaseCodecError)


sizes = st.integers(1, 24).map(lambda half: 2 * half)


@given(sizes, sizes, st.sampled_from([8, 10]), st.integers(0, 9))
def test_raw_video_round_trip(width: int, height: int, bit_depth: int, seed: int) -> None:
    pictures = [random_picture(width, height, seed), random_picture(width, height, seed + 1)]
    file = io.BytesIO()
    write_raw_video(file, pictures, width, height, bit_depth)
    size = raw_picture_size(width, height, bit_depth)
    data = file.getvalue()
    assert len(data) == 2 * size
    for index, picture in enumerate(pictures):
        read = picture_from_raw(data[index * size : (index + 1) * size], width, height, bit_depth)
        assert planes_equal(read, picture)


def test_enlarging_repeats_the_last_samples() -> None:
    picture = random_picture(6, 4)
    file = io.BytesIO()
    write_raw_video(file, [picture], 8, 8, 8)
    large = picture_from_raw(file.getvalue(), 8, 8, 8)
    assert np.array_equal(large.y[:4, :6], picture.y)
    assert (large.y[:4, 6:] == picture.y[:, -1:]).all()
    assert (large.y[4:] == large.y[3]).all()
    assert np.array_equal(large.u[:2, :3], picture.u)
    assert (large.v[2:] == large.v[1]).all()


def test_ten_bits_are_rounded_and_clipped() -> None:
    samples = np.zeros(6, "<u2")
    samples[:5] = [1, 2, 1021, 1022, 1023]
    picture = picture_from_raw(samples.tobytes(), 2, 2, 10)
    assert picture.y.tolist() == [[0, 1], [255, 255]]
    assert picture.u.tolist() == [[255]]
    broken = np.full(6, 65535, "<u2")
    assert picture_from_raw(broken.tobytes(), 2, 2, 10).y.tolist() == [[255, 255], [255, 255]]
