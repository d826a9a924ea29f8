"""How much of an edit shows, by a tracker that sees the landmarks that are drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gfvc.face_edits import response
from gfvc.face_edits.controls import AS_ASKED, Limited, Response
from gfvc.face_edits.course import edited
from gfvc.face_edits.landmark_controls import LandmarkControls
from gfvc.face_edits.response import LEAST, ResponseFinder, TrialDraw
from gfvc.options.editing import FaceEdit
from models.contract import FloatArray
from models.landmarks.face_space import shipped_face_space
from models.landmarks.ranges import FACING
from models.landmarks.values import UNITS, RestFace

SPACE = shipped_face_space()
FACE = RestFace(SPACE.mean, SPACE.mean)
STRAIGHT = np.array([0, 0, 0, 0.5, 0.5, np.log(0.15), *[0.0] * 8]) / UNITS


class Seeing:
    """A tracker to which landmarks are shown in place of pictures."""

    def __enter__(self) -> Seeing:
        return self

    def __exit__(self, *ended: object) -> None:
        pass

    def look(self, picture: Any) -> Any:
        return picture


@pytest.fixture(autouse=True)
def tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response, "FaceTracker", Seeing)


def turned(*yaws: float) -> FloatArray:
    """Rows of heads that are turned."""
    rows = np.repeat(STRAIGHT[None], len(yaws), axis=0)
    known = LandmarkControls(SPACE, STRAIGHT)
    pose = known.pose(rows)
    pose[:, 0] = yaws
    return known.with_pose(rows, pose)


def drawing(rows: FloatArray, shows: FloatArray, *, lost: int | None = None) -> TrialDraw:
    """Draws so much [n] of each change; in one picture no face is seen."""

    def draw(trial: FaceEdit | None, made_up: Response) -> Any:
        result = Limited(rows, {})
        if trial is not None:
            controls = LandmarkControls(SPACE, STRAIGHT, SPACE.mean, made_up)
            result = edited(rows, np.zeros(len(rows)), [trial], controls, np.zeros(6))
        drawn = rows + shows[:, None] * (result.rows - rows)
        faces: list[Any] = [FACE.landmarks(SPACE, row * UNITS) for row in drawn]
        if lost is not None:
            faces[lost] = None
        return faces, result.as_asked

    return draw


def found(edit: FaceEdit, *draws: TrialDraw) -> Response:
    finder = ResponseFinder(SPACE, [edit])
    for draw in draws:
        finder.look(draw)
    return finder.response()


def test_what_shows_by_less_is_found() -> None:
    yaw = found(FaceEdit(yaw=8), drawing(turned(0, 5), np.full(2, 0.8)))
    assert yaw.yaw == pytest.approx(0.8, abs=0.02)
    assert replace(yaw, yaw=1) == AS_ASKED
    lips = found(FaceEdit(open=0.1), drawing(turned(0), np.full(1, 0.7)))
    assert lips.lips == pytest.approx(0.7, abs=0.03)
    assert replace(lips, lips=1) == AS_ASKED


def test_a_change_that_shows_late_is_found_too() -> None:
    """Of half-closed eyes a tracker sees little until they are nearly shut."""
    asked = FaceEdit(yaw=8)

    def draw(trial: FaceEdit | None, made_up: Response) -> Any:
        # As asked, half of it shows; twice as much would show by twice what was asked.
        return drawing(turned(0), np.full(1, 0.5 / made_up.yaw))(trial, made_up)

    assert found(asked, draw).yaw == pytest.approx(0.5**0.5, abs=0.03)


def test_what_is_held_when_made_larger_stays_as_it_was_measured() -> None:
    def draw(trial: FaceEdit | None, made_up: Response) -> Any:
        faces, as_asked = drawing(turned(0), np.full(1, 0.6))(trial, made_up)
        return faces, as_asked & (made_up.yaw == 1)

    assert found(FaceEdit(yaw=8), draw) == AS_ASKED


def test_it_is_the_mean_of_all_pictures_within_bounds() -> None:
    draws = [drawing(turned(0, 0), np.array([0.9, 0.7])), drawing(turned(0), np.array([0.8]))]
    assert found(FaceEdit(yaw=8), *draws).yaw == pytest.approx(0.8, abs=0.03)
    assert found(FaceEdit(yaw=8), drawing(turned(0), np.array([0.1]))).yaw == LEAST


def test_pictures_that_are_held_or_lost_do_not_count() -> None:
    rows = turned(0, FACING[0] - 1, 0)
    result = found(FaceEdit(yaw=8), drawing(rows, np.array([0.8, 0.8, 0.1]), lost=2))
    assert result.yaw == pytest.approx(0.8, abs=0.02)
    away = drawing(turned(0, FACING[0] + 5), np.array([0.8, 0.1]))
    assert found(FaceEdit(open=0.1), away).lips == pytest.approx(0.8, abs=0.03)
    nothing = found(FaceEdit(yaw=8), drawing(turned(FACING[0]), np.ones(1)))
    assert nothing == AS_ASKED
