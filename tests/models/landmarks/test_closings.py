"""Lids that close have skin and lashes, and lips a shadow, where they touch."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models.contract import Float32Array
from models.landmarks import points as groups
from models.landmarks.closings import with_closings
from tests.models.landmarks.eyes import SIZE, UPPER, average_face, closed, eyes

Picture = npt.NDArray[np.uint8]
SKIN, SHADOW, WHITE, LIP = 200, 60, 255, 140


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
        assert with_closings(drawn, closed(face, share), [face]) is drawn


def test_eyes_closed_in_a_reference_stay_as_they_are(face: Float32Array) -> None:
    shut = closed(face, 1.0)
    drawn = bent(shut)
    assert with_closings(drawn, shut, [face, closed(face, 0.9)]) is drawn
    assert with_closings(drawn, shut, [face, shut]) is drawn


@pytest.mark.parametrize("eye", [0, 1])
def test_a_closed_eye_has_lashes_for_scraps_and_a_lid_of_skin(face: Float32Array, eye: int) -> None:
    shut = closed(face, 1.0)
    drawn = bent(shut)
    before = profile(drawn, shut, eye)
    after = profile(with_closings(drawn, shut, [face]), shut, eye)
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
    painted = with_closings(flat, shut, [face])
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
        int(with_closings(flat, closed(face, share), [face])[y - 6 : y + 6, x].min())
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
    painted = with_closings(flat, wink, [face])
    assert (painted[:, : SIZE // 2] != flat[:, : SIZE // 2]).any()
    assert (painted[:, SIZE // 2 :] == flat[:, SIZE // 2 :]).all()


def test_a_tilted_head_has_the_same_lashes(face: Float32Array) -> None:
    """A quarter turn, so that no pixel is interpolated."""
    shut = closed(face, 1.0)
    drawn = bent(shut)
    upright = with_closings(drawn, shut, [face])

    def turned(points: Float32Array) -> Float32Array:
        # Pixel middles are at half pixels: column x of row y becomes row SIZE - 1 - x of column y.
        x, y = points.T
        return np.asarray(np.stack([y, (SIZE - 1) / SIZE - x], axis=1), np.float32)

    tilted = with_closings(np.rot90(drawn).copy(), turned(shut), [turned(face)])
    apart = np.abs(np.rot90(upright).astype(int) - tilted)
    assert apart.max() <= 12
    assert (np.rot90(upright) != np.rot90(drawn)).any()


def test_large_pictures_have_the_same_lids_in_more_pixels(face: Float32Array) -> None:
    shut = closed(face, 1.0)
    drawn = bent(shut)
    enlarged = cv2.resize(drawn, None, fx=8, fy=8, interpolation=cv2.INTER_LINEAR)
    large = with_closings(np.asarray(enlarged, np.uint8), shut, [face])
    reduced = cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    painted = with_closings(drawn, shut, [face])
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
    painted = with_closings(drawn, lids, [face, face])
    assert painted.shape == drawn.shape
    assert (drawn == SKIN).all()


def test_landmarks_of_one_eye_torn_apart_are_survived(face: Float32Array) -> None:
    torn = closed(face, 1.0)
    torn[UPPER[::2]] *= np.float32(1e6)
    torn[list(groups.RIGHT_FOLD)] = np.float32(-1e6)
    torn[list(groups.LEFT_FOLD)] = np.float32(1e6)
    drawn = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    assert with_closings(drawn, torn, [face]).shape == drawn.shape


def open_mouth(face: Float32Array) -> Float32Array:
    """The face with its lower lip dropped."""
    changed = face.copy()
    changed[list(groups.LIPS_INNER[11:])] += np.array((0, 0.05), np.float32)
    changed[list(groups.LIPS_OUTER[11:])] += np.array((0, 0.05), np.float32)
    return changed


def lips_closed(face: Float32Array, share: float) -> Float32Array:
    """The face with its lower lip up by a share of the opening."""
    changed = face.copy()
    upper, lower = list(groups.LIPS_INNER[1:10]), list(groups.LIPS_INNER[:10:-1])
    changed[lower] += np.float32(share) * (face[upper] - face[lower])
    return changed


def bent_lips(lips: Float32Array) -> Picture:
    """What is bent to lips that touch: skin, lips, and every other pixel of teeth."""
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    outer = np.round(lips[list(groups.LIPS_OUTER)] * SIZE).astype(np.int32)
    cv2.fillPoly(picture, [outer], (LIP,) * 3)
    teeth = np.zeros_like(picture)
    inner = np.round(lips[list(groups.LIPS_INNER[:11])] * SIZE).astype(np.int32)
    cv2.polylines(teeth, [inner], False, (WHITE,) * 3, 1)
    teeth[:, ::2] = 0
    return np.maximum(picture, teeth)


def lip_row(lips: Float32Array) -> tuple[slice, slice]:
    """The middle half of the line where lips touch, a few pixels high."""
    points = lips[list(groups.LIPS_INNER)] * SIZE
    (x, y), half = points.mean(axis=0), np.ptp(points[:, 0]) / 4
    return slice(int(y) - 3, int(y) + 4), slice(int(x - half), int(x + half))


def test_shut_lips_have_a_shadow_for_scraps_of_teeth(face: Float32Array) -> None:
    opened = open_mouth(face)
    shut = lips_closed(opened, 1.0)
    drawn = bent_lips(shut)
    painted = with_closings(drawn, shut, [opened])
    before, after = (picture[lip_row(shut)][..., 1].astype(int) for picture in (drawn, painted))
    assert before.max() == WHITE
    assert after.max() <= LIP + 10
    assert (after.min(axis=0) < 0.75 * LIP).all()
    # Nothing but the line changes.
    rows = np.flatnonzero((painted != drawn).any(axis=(1, 2)))
    assert np.ptp(rows) < 20
    assert (drawn == bent_lips(shut)).all()


def test_lips_that_stay_open_or_were_shut_before_stay_as_they_are(face: Float32Array) -> None:
    opened = open_mouth(face)
    shut = lips_closed(opened, 1.0)
    drawn = bent_lips(shut)
    assert with_closings(drawn, lips_closed(opened, 0.4), [opened]) is drawn
    assert with_closings(drawn, shut, [opened, shut]) is drawn


def test_the_shadow_between_lips_comes_in_smoothly(face: Float32Array) -> None:
    opened = open_mouth(face)
    flat = np.full((SIZE, SIZE, 3), LIP, np.uint8)
    darkest = []
    for share in np.linspace(0.5, 1.0, 11):
        lips = lips_closed(opened, share)
        darkest.append(int(with_closings(flat, lips, [opened])[..., 1].min()))
    steps = -np.diff(darkest)
    assert darkest[0] == LIP
    assert darkest[-1] < 0.75 * LIP
    assert steps.min() >= -2
    assert steps.max() < 25


@pytest.mark.parametrize("shift", [0.0, 0.4, 3.0, 900.0])
@pytest.mark.parametrize("scale", [1.0, 150.0, 0.01, 0.0])
def test_lips_at_or_beyond_the_border_are_survived(
    face: Float32Array, shift: float, scale: float
) -> None:
    """A damaged stream may say anything."""
    opened = open_mouth(face)
    lips = (lips_closed(opened, 0.95) - 0.5) * np.float32(scale) + np.float32(0.5 + shift)
    drawn = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    assert with_closings(drawn, lips, [opened]).shape == drawn.shape
    assert (drawn == SKIN).all()
