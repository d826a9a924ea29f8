from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.colour import frame_to_rgb, to_picture420, to_rgb


# BT.709 limited range by hand: Y = 16 + 219 (0.2126 R + 0.7152 G + 0.0722 B), and so on.
@pytest.mark.parametrize(
    ("rgb", "ycbcr"),
    [
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_known_colours(rgb: tuple[int, int, int], ycbcr: tuple[int, int, int]) -> None:
    planes = to_picture420(np.full((4, 6, 3), rgb, np.uint8))
    assert (planes.y == ycbcr[0]).all()
    assert (planes.u == ycbcr[1]).all()
    assert (planes.v == ycbcr[2]).all()
    assert np.abs(to_rgb(planes).astype(int) - rgb).max() <= 2


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_flat_colours_survive_within_rounding(rgb: tuple[int, ...]) -> None:
    back = to_rgb(to_picture420(np.full((2, 2, 3), rgb, np.uint8)))
    assert np.abs(back.astype(int) - rgb).max() <= 3


def test_chroma_sits_on_the_left_column_between_two_rows() -> None:
    ramp = np.zeros((8, 16, 3), np.uint8)
    ramp[..., 2] = np.arange(16)[None, :] * 8 + 40
    ramp[..., 1] = 60
    planes = to_picture420(ramp)
    back = to_rgb(planes)
    inner = np.s_[1:-1, 2:-2]
    assert np.abs(back[inner].astype(int) - ramp[inner]).max() <= 3
    # Column 2i of the ramp, not the mean of columns 2i and 2i + 1.
    expected = to_picture420(np.full((2, 2, 3), ramp[0, 6], np.uint8)).u[0, 0]
    assert abs(int(planes.u[2, 3]) - int(expected)) <= 1


@pytest.mark.parametrize(
    "pixels", ["yuv420p", "yuv422p10le", "nv12", "yuv444p", "rgb24", "yuvj420p"]
)
def test_frames_of_any_format_are_not_darkened(pixels: str) -> None:
    picture = np.full((32, 32, 3), (200, 120, 80), np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
    difference = frame_to_rgb(frame).astype(float) - picture
    assert np.abs(difference.mean(axis=(0, 1))).max() < 2.5


def test_the_stated_matrix_is_used() -> None:
    planes = np.full((6, 4), 90, np.uint8)
    planes[:4] = 100
    frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    frame.colorspace = 1
    bt709 = frame_to_rgb(frame)[0, 0]
    frame.colorspace = 5
    bt601 = frame_to_rgb(frame)[0, 0]
    assert bt709.tolist() != bt601.tolist()
    assert np.abs(bt709 - np.array([29.7, 126.2, 17.5])).max() < 1.0


def test_a_window_is_that_part_of_the_whole() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
    window = frame_to_rgb(frame, (11, 7, 20, 30))
    np.testing.assert_array_equal(window, frame_to_rgb(frame)[7:37, 11:31])
