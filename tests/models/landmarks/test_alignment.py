"""Tracked pose and expression are corrected towards what the picture shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models import default_registry
from models.contract import FloatArray, Picture
from models.landmarks.alignment import ALIGNED_POINTS, Alignment
from models.landmarks.face_space import shipped_face_space
from models.landmarks.layout import FACE_VALUES
from models.landmarks.tracking import FaceTracker
from models.landmarks.values import STEPS, RestFace, rest_face, to_values
from models.landmarks.warp import LandmarkWarp

SPACE = shipped_face_space()
# A turn, a shift, and an open mouth, in steps.
TRUE = np.array([2.0, -3.0, 1.0, 2.0, -1.0, 1.0, 12.0, -4.0, 3.0, 0, 0, 0, 0, 0]) * STEPS


@dataclass(frozen=True)
class Still:
    """A key picture, its face, the values of its pose, and what aligns faces with it."""

    picture: Picture
    face: RestFace
    pose: FloatArray
    alignment: Alignment
    tracker: FaceTracker

    def draw(self, values: FloatArray) -> Picture:
        warp = LandmarkWarp(self.picture, self.face.key_landmarks)
        return warp.draw(self.face.landmarks(SPACE, values))

    def miss(self, values: FloatArray, wanted: FloatArray) -> float:
        """Mean distance of the aligned points in picture widths."""
        points = [self.face.landmarks(SPACE, v)[ALIGNED_POINTS, :2] for v in (values, wanted)]
        return float(np.linalg.norm(points[0] - points[1], axis=1).mean())


@contextmanager
def make_still(size: int, *, tracks: bool) -> Iterator[Still]:
    picture = demo_still(size)
    with FaceTracker() as tracker:
        landmarks = tracker.look(picture)
        assert landmarks is not None
        face, pose = rest_face(SPACE, landmarks)
        alignment = Alignment(SPACE, picture, face, tracker.look if tracks else None)
        yield Still(picture, face, pose, alignment, tracker)


@pytest.fixture(scope="module", params=[256, 400])
def tracked_still(request: pytest.FixtureRequest) -> Iterator[Still]:
    with make_still(request.param, tracks=True) as still:
        yield still


@pytest.fixture(scope="module")
def untracked_still() -> Iterator[Still]:
    with make_still(256, tracks=False) as still:
        yield still


def test_the_drawn_face_is_tracked_where_the_real_one_is(tracked_still: Still) -> None:
    before: list[float] = []
    after: list[float] = []
    for turn in (-1.0, 0.5, 1.0):
        real = tracked_still.draw(tracked_still.pose + turn * TRUE)
        tracked = tracked_still.tracker.look(real)
        assert tracked is not None
        for misses, values in (
            (before, tracked_still.face.values(SPACE, tracked)),
            (after, tracked_still.alignment.align(real, tracked)),
        ):
            found = tracked_still.tracker.look(tracked_still.draw(values))
            assert found is not None
            misses.append(float(np.linalg.norm((found - tracked)[:, :2], axis=1).mean()))
    assert np.mean(after) < 0.9 * np.mean(before)


def test_what_the_tracker_missed_is_seen_in_the_picture(untracked_still: Still) -> None:
    wanted = untracked_still.pose + TRUE
    real = untracked_still.draw(wanted)
    random = np.random.default_rng(1)
    before, after = [], []
    for _ in range(6):
        tracked = wanted + random.normal(0, 1.5, FACE_VALUES) * STEPS
        before.append(untracked_still.miss(tracked, wanted))
        landmarks = untracked_still.face.landmarks(SPACE, tracked)
        after.append(untracked_still.miss(untracked_still.alignment.align(real, landmarks), wanted))
    # What was tracked keeps a say, so that not all of the error can go.
    assert np.mean(after) < 0.75 * np.mean(before)


def test_what_is_right_stays(untracked_still: Still) -> None:
    wanted = untracked_still.pose + TRUE
    aligned = untracked_still.alignment.align(
        untracked_still.draw(wanted), untracked_still.face.landmarks(SPACE, wanted)
    )
    assert untracked_still.miss(aligned, wanted) < 0.003


def test_a_tracker_that_is_wrong_about_the_bent_picture_does_no_harm() -> None:
    class Lying(FaceTracker):
        def look(self, picture: Picture) -> FloatArray | None:
            found = super().look(picture)
            return None if found is None else found + np.array([0.1, 0.0, 0.0])

    with make_still(256, tracks=False) as still, Lying() as lying:
        alignment = Alignment(SPACE, still.picture, still.face, lying.look)
        wanted = still.pose + TRUE
        aligned = alignment.align(still.draw(wanted), still.face.landmarks(SPACE, wanted))
        assert still.miss(aligned, wanted) < 0.003


def test_what_has_no_counterpart_moves_little(tracked_still: Still) -> None:
    covered = tracked_still.picture.copy()
    size = len(covered)
    mouth = tracked_still.face.key_landmarks[13, :2] * size
    x, y = int(mouth[0]), int(mouth[1])
    cv2.rectangle(covered, (x - size // 10, y), (x, size), (20, 200, 20), -1)
    values = tracked_still.alignment.align(covered, tracked_still.face.key_landmarks)
    assert np.isfinite(values).all()
    assert tracked_still.miss(values, tracked_still.pose) < 0.01


def test_only_models_that_track_landmarks_align() -> None:
    registry = default_registry()
    picture = demo_still(256)
    moved = np.roll(picture, 3, axis=1)
    values = {}
    for name, align in (("mesh", None), ("mesh", True), ("face", None), ("face", False)):
        with registry.find(name).load().open_analyser(align) as analyser:
            key = analyser.analyse_key(picture)
            assert key is not None
            driven = analyser.analyse(moved, key)
            assert driven is not None
            values[name, align] = to_values(driven.parameters)[0]
    assert np.array_equal(values["mesh", None], values["face", False])
    assert np.array_equal(values["mesh", True], values["face", None])
    assert not np.array_equal(values["mesh", None], values["mesh", True])
