"""Openings of lids and lips: of points, of faces whose openings are drawn, over time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from gfvc.metrics import ClipMeasure
from gfvc.video_reader import read_pictures
from models.contract import FloatArray, Picture
from models.landmarks.points import LEFT_EYE, LIPS_INNER, RIGHT_EYE
from models.landmarks.tracking import FaceTracker
from models.landmarks.warp import LandmarkWarp
from models.metrics.openings import (
    LEAST_MOTION,
    Openings,
    course_correlation,
    lid_error,
    lip_error,
    openings,
)


def face(right: float, left: float, lips: float, scale: float = 0.2) -> FloatArray:
    """Landmarks whose contours are flat ellipses with these heights, in eye distances."""
    points = np.full((478, 3), 0.5)
    for rim, height, centre in (
        (RIGHT_EYE, right, (0.35, 0.4)),
        (LEFT_EYE, left, (0.65, 0.4)),
        (LIPS_INNER, lips, (0.5, 0.7)),
    ):
        numbers = np.array(rim)
        half = len(numbers) // 2
        # Along the contour: the lower rim of an eye comes first, the upper rim of the lips.
        side = -1 if rim is LIPS_INNER else 1
        points[numbers, :2] = centre
        points[numbers[1:half], 1] += side * height * scale / 2
        points[numbers[half + 1 :], 1] -= side * height * scale / 2
    points[33, :2], points[263, :2] = (0.5 - scale / 2, 0.4), (0.5 + scale / 2, 0.4)
    return points


@pytest.mark.parametrize("scale", [0.1, 0.3])
def test_openings_are_in_eye_distances(scale: float) -> None:
    found = openings(face(0.10, 0.04, 0.25, scale))
    assert found.right_lids == pytest.approx(0.10)
    assert found.left_lids == pytest.approx(0.04)
    assert found.lips == pytest.approx(0.25)
    assert found.lids == pytest.approx(0.07)


def test_a_turned_head_plane_changes_nothing() -> None:
    points = face(0.1, 0.1, 0.2)
    turned = points.copy()
    angle = np.radians(30)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned[:, :2] = (points[:, :2] - 0.5) @ rotation.T + 0.5
    assert openings(turned).lids == pytest.approx(openings(points).lids)
    assert openings(turned).lips == pytest.approx(openings(points).lips)


def test_errors_of_both_eyes_are_averaged_without_sign() -> None:
    source = Openings(0.10, 0.08, 0.2)
    # One eye wider and the other as much narrower is no equal opening.
    assert lid_error(source, Openings(0.12, 0.06, 0.2)) == pytest.approx(0.02)
    assert lip_error(source, replace(source, lips=0.05)) == pytest.approx(0.15)
    assert lid_error(source, source) == lip_error(source, source) == 0


COURSE = [0.10, 0.10, 0.02, 0.05, 0.10, 0.01, 0.09]


def test_a_course_that_is_followed() -> None:
    assert course_correlation(COURSE, COURSE) == pytest.approx(1)
    assert course_correlation(COURSE, [0.5 * value + 0.03 for value in COURSE]) == pytest.approx(1)
    assert course_correlation(COURSE, [0.2 - value for value in COURSE]) == pytest.approx(-1)
    late = [COURSE[0], *COURSE[:-1]]
    expected = np.corrcoef(COURSE, late)[0, 1]
    assert course_correlation(COURSE, late) == pytest.approx(expected)
    assert expected < 0.5


def test_where_a_correlation_says_nothing_there_is_none() -> None:
    still = [0.1 + 0.9 * LEAST_MOTION * (-1) ** number for number in range(6)]
    assert course_correlation(still, COURSE[:6]) is None
    assert course_correlation([], []) is None
    moving = [0.1 + 1.1 * LEAST_MOTION * (-1) ** number for number in range(6)]
    assert course_correlation(moving, moving) == pytest.approx(1)


def test_a_decoded_course_that_stands_still_follows_nothing() -> None:
    assert course_correlation(COURSE, [0.07] * len(COURSE)) == 0
    assert course_correlation(COURSE, [None] * len(COURSE)) == 0


def test_a_lost_face_tells_nothing() -> None:
    """Closed lids are lost: what is left stands still, and must not be taken for perfect."""
    found = [value if value > 0.05 else None for value in COURSE]
    whole = course_correlation(COURSE, COURSE)
    partly = course_correlation(COURSE, found)
    assert whole is not None
    assert partly is not None
    assert partly < 0.7 < whole


def with_openings(landmarks: FloatArray, share: float) -> FloatArray:
    """The upper lids brought down to the lower ones, which leaves a share of the opening."""
    moved = landmarks.copy()
    for rim, upper, lower in (
        (RIGHT_EYE, (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
        (LEFT_EYE, (466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)),
    ):
        assert set(upper) | set(lower) < set(rim)
        moved[list(upper)] += (1 - share) * (landmarks[list(lower)] - landmarks[list(upper)])
    return moved


def test_lids_drawn_at_known_openings_are_measured(demo_pictures: list[Picture]) -> None:
    with FaceTracker() as tracker:
        landmarks = tracker.look(demo_pictures[0])
        assert landmarks is not None
        drawing = LandmarkWarp(demo_pictures[0], landmarks)
        drawn, measured = [], []
        for share in (1.0, 0.8, 0.6, 0.4, 0.2):
            wanted = with_openings(landmarks, share)
            drawn.append(openings(wanted).lids)
            seen = tracker.look(drawing.draw(wanted))
            assert seen is not None
            measured.append(openings(seen).lids)
    assert drawn[-1] == pytest.approx(0.2 * drawn[0])
    assert measured == sorted(measured, reverse=True)
    correlation = course_correlation(drawn, measured)
    assert correlation is not None
    assert correlation > 0.95


def test_a_talking_head(shared: Path) -> None:
    """Pictures half a second late have other lids and lips; late by none, the same."""
    path = shared / "clips/validation/dpe_s_0.mp4"
    pictures = list(islice(read_pictures(path, Fraction(25)), 40))
    late = 8
    with ClipMeasure(Fraction(25), vmaf=False) as measure:
        for source, decoded in zip(pictures[late:], pictures, strict=False):
            measure.add(source, decoded, pictures[0])
        scores = measure.finish().of_clip()
    assert scores["lip_error"] is not None
    assert 0.01 < scores["lip_error"] < 0.2
    assert scores["lip_correlation"] is not None
    assert scores["lip_correlation"] < 0.6
    assert scores["source_sharpness"] == pytest.approx(1, abs=0.2)
    assert scores["still_flicker"] is not None
    assert scores["moving_flicker"] is not None
    assert scores["still_flicker"] < scores["moving_flicker"]
