"""Edits as functions of rows: no stream, no picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gfvc.face_edits.controls import FaceControls, Response, ShownFaces
from gfvc.face_edits.course import UnitRows, edited, edited_units, smoothed, strengths
from gfvc.face_edits.landmark_controls import SMILE, LandmarkControls
from gfvc.options.editing import FaceEdit
from models.contract import FloatArray
from models.landmarks.face_space import shipped_face_space
from models.landmarks.layout import POSE_VALUES
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER, RIGID
from models.landmarks.ranges import ANGLES, EXPRESSION, FACING
from models.landmarks.values import UNITS, RestFace
from models.metrics.openings import Openings, openings

RATE = 25.0
SPACE = shipped_face_space()
FACE = RestFace(SPACE.mean, SPACE.mean)
STRAIGHT = np.array([0, 0, 0, 0.5, 0.5, np.log(0.15), *[0.0] * 8]) / UNITS
NO_POSE = np.zeros(6)


def moving(pictures: int = 50) -> FloatArray:
    """Rows of a head that turns and speaks."""
    times = np.arange(pictures)[:, None] / RATE
    waves = np.sin(2 * np.pi * times * np.linspace(0.5, 3, 14) + np.arange(14))
    sizes = np.array([0.1] * 3 + [0.02] * 3 + [*SPACE.spread[:8]])
    rows: FloatArray = STRAIGHT + waves * sizes / UNITS
    return rows


def controls(**further: Any) -> LandmarkControls:
    return LandmarkControls(SPACE, STRAIGHT, SPACE.mean, **further)


def done(rows: FloatArray, *edits: FaceEdit, mean: FloatArray = NO_POSE) -> FloatArray:
    times = np.arange(len(rows)) / RATE
    return edited(rows, times, edits, controls(), mean).rows


def opened(row: FloatArray) -> Openings:
    """Openings of the face that looks ahead with a row's expression."""
    values = row * UNITS
    return openings(SPACE.deform(SPACE.mean, values[POSE_VALUES:]))


def test_an_edit_comes_in_and_goes_out_softly() -> None:
    edit = FaceEdit(yaw=5, start=1, end=3, soft=0.5)
    times = np.array([0.9, 1.0, 1.25, 1.5, 2.5, 2.75, 3.0, 3.1])
    assert strengths(edit, times) == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0, 0])
    hard = FaceEdit(yaw=5, start=1, soft=0)
    assert strengths(hard, times).tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
    short = FaceEdit(yaw=5, start=1, end=1.2, soft=0.5)
    assert strengths(short, np.array([1.1])) == pytest.approx([1]), "it has its full strength once"


def test_angles_are_added_and_nothing_else_moves() -> None:
    rows = moving()
    known = controls()
    before, after = (known.pose(each) for each in (rows, done(rows, FaceEdit(yaw=8, pitch=-3))))
    assert (after - before)[:, :3] == pytest.approx(np.tile([8, -3, 0], (50, 1)))
    assert after[:, 3:] == pytest.approx(before[:, 3:])
    assert np.array_equal(done(rows, FaceEdit(yaw=8))[:, POSE_VALUES:], rows[:, POSE_VALUES:])


def test_shift_zoom_and_liveliness() -> None:
    rows = moving()
    known = controls()
    mean = known.pose(rows).mean(axis=0)
    before = known.pose(rows)
    placed = known.pose(done(rows, FaceEdit(shift=(0.1, -0.05), zoom=1.2)))
    assert placed[:, 3:] == pytest.approx(before[:, 3:] + [0.1, -0.05, np.log(1.2)])
    still = known.pose(done(rows, FaceEdit(pose=0), mean=mean))
    assert still == pytest.approx(np.tile(mean, (50, 1)))
    livelier = known.pose(done(rows, FaceEdit(pose=1.2), mean=mean))
    assert livelier - mean == pytest.approx(1.2 * (before - mean))


@pytest.mark.parametrize("wanted", [-0.05, 0.05, 0.15])
def test_lips_open_by_what_was_asked_and_lids_stay(wanted: float) -> None:
    rows = moving()
    for before, after in zip(rows, done(rows, FaceEdit(open=wanted)), strict=True):
        lips = max(0, opened(before).lips + wanted)
        assert opened(after).lips == pytest.approx(lips, abs=0.015)
        assert opened(after).lids == pytest.approx(opened(before).lids, abs=0.004)


@pytest.mark.parametrize("asked", [{"open": 0.15}, {"mouth": 0}, {"smile": 1}, {"blink": 1}])
def test_the_head_stays_where_it_was(asked: dict[str, float]) -> None:
    """Without its pose in the numbers changed, it would move by 0.006 to 0.019 eye distances."""
    rows = moving()
    corners = [RIGHT_EYE_OUTER_CORNER, LEFT_EYE_OUTER_CORNER]
    for before, after in zip(rows, done(rows, FaceEdit(**asked)), strict=True):  # type: ignore[arg-type]
        first, second = (FACE.landmarks(SPACE, row * UNITS)[:, :2] for row in (before, after))
        apart = np.linalg.norm(np.subtract(*first[corners]))
        moved = np.linalg.norm(first - second, axis=1)[list(RIGID)].mean() / apart
        assert moved < 0.003 + 0.008 * (asked.keys() == {"blink"})


def test_gains_of_lids_and_lips() -> None:
    rows = np.tile(STRAIGHT, (3, 1))
    rest = opened(STRAIGHT)
    closed = opened(done(rows, FaceEdit(mouth=0))[0])
    assert closed.lips == pytest.approx(0, abs=0.012)
    assert closed.lids == pytest.approx(rest.lids, abs=0.004)
    half = opened(done(rows, FaceEdit(blink=0.5))[0])
    assert half.lids == pytest.approx(0.5 * rest.lids, rel=0.15)
    assert half.lips == pytest.approx(rest.lips, rel=0.05)
    wide = opened(done(rows, FaceEdit(eyes=1.25))[0])
    assert wide.lids == pytest.approx(1.25 * rest.lids, rel=0.05)
    assert opened(done(rows, FaceEdit(blink=1))[0]).lids < 0.15 * rest.lids


def test_no_rim_passes_the_other_however_little_is_measured() -> None:
    rows = STRAIGHT[None]
    response = Response(lids=0.5, lips=0.5)
    shut = edited(
        rows, np.zeros(1), [FaceEdit(blink=1, mouth=0)], controls(response=response), NO_POSE
    )
    assert opened(shut.rows[0]).lids == pytest.approx(0, abs=0.015)
    assert opened(shut.rows[0]).lips == pytest.approx(0, abs=0.015)


def test_openings_that_numbers_do_not_say_are_closed_too() -> None:
    """Between two references a face has in proportion what is known of the later one."""
    agape, turned = SPACE.mean.copy(), STRAIGHT.copy()
    agape[[87, 14, 317], 1] += 0.05
    agape[[144, 145, 153, 373, 374, 380], 1] += 0.02
    turned[:3] = np.array([0.1, 0.2, 0.1]) / UNITS[:3]
    rows = np.stack([STRAIGHT, turned])
    asked = FaceEdit(mouth=0, blink=1)

    def shut(landmarks: list[FloatArray | None]) -> FloatArray:
        known = controls(shown=ShownFaces(rows, landmarks))
        return edited(rows, np.zeros(2), [asked], known, NO_POSE).rows

    between = RestFace(agape, agape).landmarks(SPACE, turned * UNITS)
    result = shut([None, between])
    np.testing.assert_allclose(result[:1], done(rows[:1], asked), atol=1e-9)
    shape = SPACE.deform(agape, (result[1] * UNITS)[POSE_VALUES:])
    assert openings(shape).lips == pytest.approx(0, abs=0.015)
    assert openings(shape).lids == pytest.approx(0, abs=0.015)
    as_said = SPACE.deform(agape, (done(rows, asked)[1] * UNITS)[POSE_VALUES:])
    assert openings(as_said).lips > 0.02, "this is what they would be otherwise"
    same = shut([None, FACE.landmarks(SPACE, turned * UNITS)])
    np.testing.assert_allclose(same, done(rows, asked), atol=1e-9)


def test_what_is_measured_less_is_made_larger() -> None:
    rows = STRAIGHT[None]
    known = controls(response=Response(yaw=0.8, pitch=0.5, lips=0.8))
    result = edited(rows, np.zeros(1), [FaceEdit(yaw=8, pitch=3)], known, NO_POSE)
    assert known.pose(result.rows)[0, :2] == pytest.approx([10, 6])
    result = edited(rows, np.zeros(1), [FaceEdit(open=0.04)], known, NO_POSE)
    change = opened(result.rows[0]).lips - opened(STRAIGHT).lips
    assert change == pytest.approx(0.05, rel=0.1)


def test_a_smile_moves_the_corners_of_the_mouth() -> None:
    before, after = STRAIGHT, done(STRAIGHT[None], FaceEdit(smile=1))[0]
    shapes = [SPACE.deform(SPACE.mean, (row * UNITS)[POSE_VALUES:]) for row in (before, after)]
    eyes = float(np.linalg.norm((SPACE.mean[33] - SPACE.mean[263])[:2]))
    right, left = ((shapes[1] - shapes[0])[corner, :2] / eyes for corner in (61, 291))
    nose = (shapes[1] - shapes[0])[1, :2] / eyes
    outwards, up = (left[0] - right[0]) / 2, nose[1] - (left[1] + right[1]) / 2
    assert (outwards + up) / np.sqrt(2) == pytest.approx(SMILE)
    assert min(outwards, up) > 0
    assert opened(after).lids == pytest.approx(opened(before).lids, abs=0.003)
    assert opened(after).lips == pytest.approx(opened(before).lips, abs=0.01)


def test_expression_gain_is_about_the_key_picture() -> None:
    rows = moving()
    assert done(rows, FaceEdit(expression=0))[:, POSE_VALUES:] == pytest.approx(0)
    doubled = done(rows, FaceEdit(expression=2))[:, POSE_VALUES:]
    assert doubled == pytest.approx(2 * rows[:, POSE_VALUES:])


def test_smoothing_has_no_delay_and_keeps_the_ends() -> None:
    times = np.arange(100) / RATE
    slow, tremble = np.sin(2 * np.pi * 0.2 * times), 0.1 * np.sin(2 * np.pi * 8 * times)
    rows = np.stack([slow + tremble, 3 * times], axis=1)
    smooth = smoothed(rows, 0.3, RATE)
    assert np.abs(smooth[10:-10, 0] - slow[10:-10]).max() < 0.02
    assert smooth[:, 1] == pytest.approx(3 * times), "a straight line stays"
    assert smooth[[0, -1]] == pytest.approx(rows[[0, -1]])
    assert smoothed(rows[:1], 0.3, RATE) is not None


def in_two(rows: FloatArray, at: int) -> tuple[list[UnitRows], FloatArray]:
    """The same faces against two coded pictures, and what the second is against the first: [14]."""
    offset = np.zeros(14)
    offset[POSE_VALUES:] = rows[at, POSE_VALUES:]
    rest = SPACE.deform(SPACE.mean, (offset * UNITS)[POSE_VALUES:])
    parts = [
        UnitRows(rows[:at], controls()),
        UnitRows(rows[at:] - offset, LandmarkControls(SPACE, STRAIGHT, rest, offset=offset)),
    ]
    return parts, offset


@pytest.mark.parametrize("asked", [{"smooth": 0.4}, {"expression": 0.5}, {"pose": 0.2, "roll": 3}])
def test_a_change_of_the_coded_picture_is_not_seen(asked: dict[str, float]) -> None:
    rows = moving()
    edit = FaceEdit(**asked)  # type: ignore[arg-type]
    parts, offset = in_two(rows, 20)
    first, second = edited_units(parts, np.arange(50) / RATE, [edit], NO_POSE)
    whole = done(rows, edit)
    assert np.abs(whole - rows).max() > 0.001
    assert first.rows == pytest.approx(whole[:20])
    assert second.rows + offset == pytest.approx(whole[20:])


def test_beyond_training_it_is_held_and_told() -> None:
    rows = moving()
    times = np.arange(50) / RATE
    result = edited(rows, times, [FaceEdit(yaw=80, open=1)], controls(), NO_POSE)
    yaw = controls().pose(result.rows)[:, 0]
    assert yaw == pytest.approx(ANGLES[0])
    assert result.counts == {"yaw": 50, "expression": 50}
    assert not result.as_asked.any()
    deviations = (result.rows * UNITS)[:, POSE_VALUES:] / SPACE.spread[:8]
    assert (np.abs(deviations) <= EXPRESSION + 1e-9).all()
    assert opened(result.rows[0]).lips > opened(rows[0]).lips


def test_a_head_is_turned_no_further_than_training_saw_or_was_filmed() -> None:
    rows = np.repeat(moving()[:1], 3, axis=0)
    pose = controls().pose(rows)
    pose[:, 0], pose[:, 1] = (10, FACING[0] - 4, FACING[0] + 6), 0
    filmed = controls().with_pose(rows, pose)
    # The key picture looks to the side as well, and is near to all of them.
    by_key = LandmarkControls(SPACE, filmed[1])
    result = edited(filmed, np.arange(3) / RATE, [FaceEdit(yaw=10)], by_key, NO_POSE)
    yaw = by_key.pose(result.rows)[:, 0]
    assert yaw == pytest.approx([20, FACING[0], FACING[0] + 6])
    assert result.counts == {"yaw": 2}
    assert result.as_asked.tolist() == [True, False, False]


@pytest.mark.parametrize("pitch", [60, 76, 85, 90, -90])
@pytest.mark.parametrize("yaw", [0, 90])
def test_a_head_that_is_pitched_too_far_does_not_look_back(pitch: float, yaw: float) -> None:
    rows = moving()
    rows[:, 0] += 0.2 / UNITS[0]
    known = controls(response=Response(yaw=0.5, pitch=0.5))
    asked = FaceEdit(pitch=pitch, yaw=yaw)
    result = edited(rows, np.arange(50) / RATE, [asked, asked], known, NO_POSE)
    before, after = (known.pose(each) for each in (rows, result.rows))
    # Where it was filmed beyond the limit, it stays.
    changed = np.sign(pitch) * (after - before)[:, 1]
    assert changed.min() > -1e-6
    assert changed.max() > 5
    assert after[:, 0] == pytest.approx(np.full(50, ANGLES[0]) if yaw else before[:, 0], abs=1e-6)
    assert after[:, 2] == pytest.approx(before[:, 2], abs=1e-6)
    assert result.held.keys() == ({"yaw", "pitch"} if yaw else {"pitch"})


def test_what_was_filmed_is_never_held() -> None:
    rows = moving()
    rows[:, 1] += 1.0 / UNITS[1]  # nearly 60 degrees
    result = edited(rows, np.arange(50) / RATE, [FaceEdit(roll=1)], controls(), NO_POSE)
    assert result.held == {}
    filmed, turned = (controls().pose(each) for each in (rows, result.rows))
    assert turned - filmed == pytest.approx(np.tile([0, 0, 1, 0, 0, 0], (50, 1)))


def test_edits_follow_each_other() -> None:
    rows = moving()
    together = done(rows, FaceEdit(yaw=3), FaceEdit(open=0.05), FaceEdit(yaw=2, start=1, soft=0))
    angles = (controls().pose(together) - controls().pose(rows))[:, 0]
    # As the head is not upright, a mouth that opens takes a little off in the numbers.
    assert angles == pytest.approx([3.0] * 25 + [5.0] * 25, abs=0.1)


def test_numbers_of_unknown_meaning_are_smoothed_alone() -> None:
    rows = np.random.default_rng(1).normal(size=(40, 16))
    result = edited(rows, np.arange(40) / RATE, [FaceEdit(smooth=0.4)], FaceControls(), NO_POSE)
    assert result.rows.std() < 0.7 * rows.std()
    assert FaceControls.can == {"smooth"}
