"""Lids that close have skin, and lashes where they touch."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models.landmarks import points as groups
from models.landmarks.closed_lids import with_closed_lids
from tests.models.landmarks.eyes import SIZE, UPPER, Float32Array, average_face, closed, eyes

Picture = npt.NDArray[np.uint8]
SKIN, SHADOW, WHITE = 200, 60, 255


@pytest.fixture(scope="module")
def face() -> Float32Array:
    """The average face, eyes open, large enough for its eyes to have some pixels."""
    return np.asarray((average_face() - 0.5) * 1.5 + 0.5, np.float32)


def bent(lids: Float32Array) -> Picture:
    """What is bent to lids that touch: skin, dark lids, and white where they touch."""
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    for eye, fold in (
        (groups.RIGHT_EYE, groups.RIGHT_FOLD),
        (groups.LEFT_EYE, groups.LEFT_FOLD),
    ):
        lower = np.round(lids[[*eye[:9]]] * SIZE).astype(np.int32)
        above = np.round(lids[[*fold]][::-1] * SIZE).astype(np.int32)
        cv2.fillPoly(picture, [np.concatenate([lower, above])], (SHADOW,) * 3)
        cv2.polylines(picture, [lower], False, (WHITE,) * 3, 1)
    return picture


def profile(picture: Picture, lids: Float32Array, eye: int) -> npt.NDArray[np.int_]:
    """Levels from well above the middle of a closed eye to well below it."""
    y, x = eyes(lids)[eye]
    return np.asarray(picture[y - 24 : y + 16, x, 0], int)


def test_open_eyes_stay_as_they_are(face: Float32Array) -> None:
    drawn = bent(face)
    for share in (0.0, 0.3, 0.5):
        assert with_closed_lids(drawn, closed(face, share), [face]) is drawn


def test_eyes_closed_in_a_reference_stay_as_they_are(face: Float32Array) -> None:
    shut = closed(face, 1.0)
    drawn = bent(shut)
    assert with_closed_lids(drawn, shut, [face, closed(face, 0.9)]) is drawn
    assert with_closed_lids(drawn, shut, [face, shut]) is drawn


@pytest.mark.parametrize("eye", [0, 1])
def test_a_closed_eye_has_lashes_for_scraps_and_a_lid_of_skin(face: Float32Array, eye: int) -> None:
    shut = closed(face, 1.0)
    drawn = bent(shut)
    before = profile(drawn, shut, eye)
    after = profile(with_closed_lids(drawn, shut, [face]), shut, eye)
    line = int(before.argmax())
    assert before[line] == WHITE
    assert after[line] < 0.6 * SKIN
    assert after.max() <= SKIN
    # The lid is lighter than its shadow, the skin around as it was.
    lid = after[line - 4]
    assert before[line - 4] == SHADOW
    assert SHADOW + 20 < lid < SKIN
    assert after[[0, 1, -2, -1]] == pytest.approx(SKIN, abs=1)
    assert (drawn == bent(shut)).all()


def test_lashes_end_at_the_corners(face: Float32Array) -> None:
    shut = closed(face, 1.0)
    flat = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    painted = with_closed_lids(flat, shut, [face])
    changed = np.flatnonzero((painted != flat).any(axis=(0, 2)))
    corners = sorted(shut[[33, 133, 362, 263], 0] * SIZE)
    assert corners[0] - 4 < changed.min() < corners[0] + 4
    assert corners[3] - 4 < changed.max() < corners[3] + 4
    between = changed[(changed > corners[1]) & (changed < corners[2])]
    assert (np.minimum(between - corners[1], corners[2] - between) < 4).all()


def test_it_comes_in_smoothly(face: Float32Array) -> None:
    y, x = eyes(closed(face, 1.0))[0]
    flat = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    darkest = [
        int(with_closed_lids(flat, closed(face, share), [face])[y - 6 : y + 6, x].min())
        for share in np.linspace(0.5, 1.0, 11)
    ]
    steps = -np.diff(darkest)
    assert steps.min() >= -1
    assert steps.max() < 30
    assert darkest[0] == SKIN
    assert darkest[-1] < 0.65 * SKIN


def test_one_eye_winks(face: Float32Array) -> None:
    wink = face.copy()
    right = list(groups.RIGHT_EYE)
    wink[right] = closed(face, 1.0)[right]
    flat = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    painted = with_closed_lids(flat, wink, [face])
    assert (painted[:, : SIZE // 2] != flat[:, : SIZE // 2]).any()
    assert (painted[:, SIZE // 2 :] == flat[:, SIZE // 2 :]).all()


def test_a_tilted_head_has_the_same_lashes(face: Float32Array) -> None:
    """A quarter turn, so that no pixel is interpolated."""
    shut = closed(face, 1.0)
    drawn = bent(shut)
    upright = with_closed_lids(drawn, shut, [face])

    def turned(points: Float32Array) -> Float32Array:
        # Pixel middles are at half pixels: column x of row y becomes row SIZE - 1 - x of column y.
        x, y = points.T
        return np.asarray(np.stack([y, (SIZE - 1) / SIZE - x], axis=1), np.float32)

    tilted = with_closed_lids(np.rot90(drawn).copy(), turned(shut), [turned(face)])
    apart = np.abs(np.rot90(upright).astype(int) - tilted)
    assert apart.max() <= 12
    assert (np.rot90(upright) != np.rot90(drawn)).any()


def test_large_pictures_have_the_same_lids_in_more_pixels(face: Float32Array) -> None:
    shut = closed(face, 1.0)
    drawn = bent(shut)
    enlarged = cv2.resize(drawn, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    large = with_closed_lids(np.asarray(enlarged, np.uint8), shut, [face])
    reduced = cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    painted = with_closed_lids(drawn, shut, [face])
    changed = (painted != drawn).any(axis=2)
    apart = np.abs(painted.astype(int) - reduced).max(axis=2)
    assert changed.sum() > 500
    assert apart[changed].mean() < 8


@pytest.mark.parametrize("shift", [0.0, 0.4, 3.0, 900.0])
@pytest.mark.parametrize("scale", [1.0, 150.0, 0.01, 0.0])
def test_eyes_at_or_beyond_the_border_are_survived(
    face: Float32Array, shift: float, scale: float
) -> None:
    """A damaged stream may say anything."""
    lids = (closed(face, 0.95) - 0.5) * np.float32(scale) + np.float32(0.5 + shift)
    drawn = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    painted = with_closed_lids(drawn, lids, [face, face])
    assert painted.shape == drawn.shape
    assert (drawn == SKIN).all()


def test_landmarks_of_one_eye_torn_apart_are_survived(face: Float32Array) -> None:
    torn = closed(face, 1.0)
    torn[UPPER[::2]] *= np.float32(1e6)
    torn[list(groups.RIGHT_FOLD)] = np.float32(-1e6)
    torn[list(groups.LEFT_FOLD)] = np.float32(1e6)
    drawn = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    assert with_closed_lids(drawn, torn, [face]).shape == drawn.shape
