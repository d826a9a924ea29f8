from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.landmarks import points as groups
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.flow import (
    CLOSE,
    WIDE,
    BackwardFlows,
    HeadReach,
    backward_flow,
    head_influence,
    warp,
    without_folds,
)
from models.landmarks.rims import MOUTH
from models.landmarks.warp import LandmarkWarp

Float32Array = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def space() -> FaceSpace:
    return shipped_face_space()


@pytest.fixture(scope="module")
def face(space: FaceSpace) -> Float32Array:
    """The average face in the middle of a picture."""
    return (space.mean[:, :2] * 0.14 + 0.5).astype(np.float32)


def texture(size: int = 128) -> npt.NDArray[np.uint8]:
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    red = 128 + 100 * np.sin(x / 9.0)
    green = 128 + 100 * np.sin(y / 7.0)
    return np.asarray(np.stack([red, green, (x + y) % 256], axis=2), np.uint8)


def test_a_face_that_stays_leaves_every_pixel_where_it_is(face: Float32Array) -> None:
    displacement = backward_flow(face, face, (128, 96))
    assert np.abs(displacement).max() < 1e-5
    np.testing.assert_array_equal(warp(texture()[:96], displacement), texture()[:96])


def test_flows_to_several_key_pictures_are_those_to_each(face: Float32Array) -> None:
    other = face + np.array([0.02, 0.03], np.float32)
    winking = face.copy()
    winking[list(groups.RIGHT_EYE)] += np.array([0.0, 0.01], np.float32)
    keys, reaches = [face, other, winking], [WIDE, CLOSE, WIDE]
    driven = face * np.float32(1.05)
    together = BackwardFlows(keys, driven, reaches).dense(160, 128)
    for key, reach, displacement in zip(keys, reaches, together, strict=True):
        alone = backward_flow(key, driven, (160, 128), reach)
        np.testing.assert_allclose(displacement, alone, atol=1e-6)
        assert np.abs(displacement).max() > 0.01


def test_landmarks_read_from_where_they_were(face: Float32Array) -> None:
    moved = face + np.array([0.05, -0.03], np.float32)
    size = 256
    displacement = backward_flow(face, moved, (size, size))
    columns, rows = np.round(moved[groups.NOSE[3]] * size - 0.5).astype(int)
    np.testing.assert_allclose(displacement[rows, columns], [-0.05, 0.03], atol=2e-3)


def test_the_far_background_stays_still(face: Float32Array) -> None:
    small = (face - 0.5) * 0.3 + 0.5
    displacement = backward_flow(small, small + np.float32(0.03), (128, 128))
    for corner in (displacement[0, 0], displacement[0, -1], displacement[-1, -1]):
        np.testing.assert_allclose(corner, 0.0, atol=1e-6)


def test_the_flow_does_not_fold_when_the_head_turns(space: FaceSpace, face: Float32Array) -> None:
    turn = np.array([[0.95, 0.0, 0.31], [0.0, 1.0, 0.0], [-0.31, 0.0, 0.95]])
    turned = ((space.mean @ turn.T)[:, :2] * 0.14 + 0.52).astype(np.float32)
    size = 128
    displacement = backward_flow(face, turned, (size, size))
    # Outside eyes and mouth, where closed lids and lips must meet, positions stay in order.
    outside = displacement[: size // 4]
    positions = outside[..., 0] + (np.arange(size) + 0.5) / size
    assert (np.diff(positions, axis=1) > 0).all()


def test_influence_falls_from_the_head_to_the_background(face: Float32Array) -> None:
    line = np.stack([np.linspace(0.5, 3.0, 40), np.full(40, 0.5)], axis=1).astype(np.float32)
    influence = head_influence(line, face)
    assert influence[0] == 1.0
    assert influence[-1] == 0.0
    assert (np.diff(influence) <= 1e-6).all()


def test_a_closed_eye_hides_what_was_between_the_lids(face: Float32Array) -> None:
    size = 256
    picture = np.full((size, size, 3), 160, np.uint8)
    eye = face[list(groups.RIGHT_EYE)]
    low, high = np.round(eye.min(0) * size).astype(int), np.round(eye.max(0) * size).astype(int)
    picture[low[1] + 2 : high[1] - 1, low[0] + 3 : high[0] - 3] = 0
    closed = face.copy()
    upper = [246, 161, 160, 159, 158, 157, 173]
    lower = [7, 163, 144, 145, 153, 154, 155]
    closed[upper, 1] = closed[lower, 1]
    drawn = LandmarkWarp(picture, face.astype(np.float64)).draw(closed.astype(np.float64))
    region = np.s_[low[1] - 4 : high[1] + 4, low[0] - 4 : high[0] + 4]
    assert (drawn[region] < 80).sum() < 0.5 * (picture[region] < 80).sum()


def test_an_opened_mouth_is_dark_inside(face: Float32Array) -> None:
    size = 256
    picture = np.full((size, size, 3), 180, np.uint8)
    opened = face.copy()
    below = (face[:, 1] > face[[13, 14], 1].mean()) & (np.abs(face[:, 0] - 0.5) < 0.06)
    opened[below, 1] += 0.05
    assert MOUTH.opening(opened) > MOUTH.opening(face) + 0.3
    drawn = LandmarkWarp(picture, face.astype(np.float64)).draw(opened.astype(np.float64))
    middle = opened[[13, 14]].mean(axis=0) * size
    column, row = np.round(middle).astype(int)
    assert drawn[row, column].mean() < 130
    np.testing.assert_array_equal(drawn[:40], picture[:40])


@pytest.mark.parametrize("shape", [(64, 64), (97, 64), (720, 480)])
def test_any_picture_size_is_drawn(face: Float32Array, shape: tuple[int, int]) -> None:
    height, width = shape
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    drawn = LandmarkWarp(picture, face.astype(np.float64)).draw((face + 0.02).astype(np.float64))
    assert drawn.shape == picture.shape
    assert drawn.dtype == np.uint8


def test_drawing_is_deterministic(face: Float32Array) -> None:
    moved = (face + np.array([0.02, 0.01], np.float32)).astype(np.float64)
    pictures = [LandmarkWarp(texture(), face.astype(np.float64)).draw(moved) for _ in range(2)]
    np.testing.assert_array_equal(pictures[0], pictures[1])


def test_the_flow_does_not_depend_on_how_much_is_worked_on_at_a_time(
    face: Float32Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = face + np.array([0.02, 0.01], np.float32)
    whole = backward_flow(face, moved, (128, 128))
    monkeypatch.setattr("models.landmarks.flow.BAND_VALUES", 10_000)
    np.testing.assert_allclose(backward_flow(face, moved, (128, 128)), whole, atol=1e-6)


def test_the_further_a_head_moves_the_slower_its_motion_fades(face: Float32Array) -> None:
    reaches = [
        without_folds(CLOSE, face, face + np.array([moved, 0], np.float32))
        for moved in (0.0, 0.05, 0.08, 10.0)
    ]
    assert reaches[0] == CLOSE
    fades = [reach.fade for reach in reaches]
    assert fades[0] < fades[1] < fades[2] < fades[3] == WIDE.fade
    assert reaches[3].fade_down == WIDE.fade_down


def test_a_close_reach_does_not_fold(face: Float32Array) -> None:
    """From left to right, what is read goes from left to right as well."""
    moved = face + np.array([0.08, 0], np.float32)
    columns = (np.arange(128, dtype=np.float32) + 0.5) / 128

    def least_step(reach: HeadReach) -> float:
        read = backward_flow(face, moved, (128, 128), reach)[..., 0] + columns
        return float(np.diff(read, axis=1).min())

    assert least_step(CLOSE) < 0 < least_step(without_folds(CLOSE, face, moved))
