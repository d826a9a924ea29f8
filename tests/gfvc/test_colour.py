from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.colour import UnknownColourError, frame_to_rgb, to_picture420, to_rgb


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


@pytest.mark.parametrize("pixels", ["gray", "gray10le", "ya8"])
def test_grey_of_limited_range_is_spread(pixels: str) -> None:
    """Where that is stated: grey that says nothing is of full range."""
    levels = np.array([[0, 16, 71, 126, 205, 235, 255, 255]] * 8, np.uint8)
    spread = [0, 0, 64, 128, 220, 255, 255, 255]
    for colour_range, expected in ((1, spread), (0, levels[0]), (2, levels[0])):
        frame = av.VideoFrame.from_ndarray(levels, format="gray").reformat(format=pixels)
        frame.color_range = colour_range
        rgb = frame_to_rgb(frame).astype(int)
        assert np.abs(rgb[0] - np.array(expected)[:, None]).max() <= 1


def test_linear_light_is_no_standard_video() -> None:
    """A screen shows a quarter of the light at 0.25 ** (1 / 2.4) of its signal (BT.1886): 0.56."""
    frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), 64, np.uint8), format="rgb24")
    frame = frame.reformat(format="yuv444p", dst_colorspace=1)
    frame.colorspace, frame.color_primaries, frame.color_trc = 1, 1, 8
    assert np.abs(frame_to_rgb(frame).astype(int) - 143).max() <= 2


@pytest.mark.parametrize("transfer", [9, 10])
def test_logarithmic_curves_are_refused(transfer: int) -> None:
    frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
    frame.color_trc = transfer
    with pytest.raises(UnknownColourError, match=f"transfer {transfer} of H.273"):
        frame_to_rgb(frame)


def test_a_window_is_that_part_of_the_whole() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
    window = frame_to_rgb(frame, (11, 7, 20, 30))
    np.testing.assert_array_equal(window, frame_to_rgb(frame)[7:37, 11:31])
