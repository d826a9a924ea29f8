"""Tracked pose and expression are corrected towards what the picture shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models import default_registry
from models.contract import FloatArray, Picture
from models.errors import ModelError
from models.face_tracking import FaceTracker
from models.fomm.model import FommModel
from models.mesh.alignment import ALIGNED_POINTS, Alignment
from models.mesh.landmark_warp import LandmarkWarp
from models.mesh.parameters import FACE_VALUES, STEPS, to_values
from models.mesh.rest_face import RestFace, rest_face
from models.training.mesh_space import load_mesh_space

SPACE = load_mesh_space()
# A turn, a shift, and an open mouth, in steps.
TRUE = np.array([2.0, -3.0, 1.0, 2.0, -1.0, 1.0, 12.0, -4.0, 3.0, 0, 0, 0, 0, 0]) * STEPS


@pytest.fixture(scope="module", params=[256, 400])
def still(request: pytest.FixtureRequest) -> tuple[Picture, RestFace, FloatArray]:
    """A key picture, its face, and the values of its pose."""
    picture = demo_still(request.param)
    with FaceTracker() as tracker:
        landmarks = tracker.look(picture)
    assert landmarks is not None
    return picture, *rest_face(SPACE, landmarks)


def mean_miss(face: RestFace, values: FloatArray, wanted: FloatArray) -> float:
    """Mean distance of the aligned points in picture widths."""
    points = [face.landmarks(SPACE, v)[ALIGNED_POINTS, :2] for v in (values, wanted)]
    return float(np.linalg.norm(points[0] - points[1], axis=1).mean())


def test_what_the_tracker_missed_is_found(still: tuple[Picture, RestFace, FloatArray]) -> None:
    picture, face, pose = still
    wanted = pose + TRUE
    real = LandmarkWarp(picture, face.key_landmarks).draw(face.landmarks(SPACE, wanted))
    alignment = Alignment(SPACE, picture, face)
    random = np.random.default_rng(1)
    before, after = [], []
    for _ in range(6):
        tracked = wanted + random.normal(0, 1.5, FACE_VALUES) * STEPS
        before.append(mean_miss(face, tracked, wanted))
        after.append(mean_miss(face, alignment.align(real, tracked), wanted))
    # The tracker keeps its say, so that not all of the error can go.
    assert np.mean(after) < 0.6 * np.mean(before)
    exact = alignment.align(real, wanted)
    assert mean_miss(face, exact, wanted) < 0.2 * np.mean(before)


def test_what_has_no_counterpart_moves_little(
    still: tuple[Picture, RestFace, FloatArray],
) -> None:
    picture, face, pose = still
    alignment = Alignment(SPACE, picture, face)
    covered = picture.copy()
    size = len(picture)
    mouth = face.key_landmarks[13, :2] * size
    centre = (int(mouth[0]), int(mouth[1]))
    cv2.rectangle(
        covered, (centre[0] - size // 10, centre[1]), (centre[0], size), (20, 200, 20), -1
    )
    values = alignment.align(covered, pose)
    assert np.isfinite(values).all()
    assert mean_miss(face, values, pose) < 0.01


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


def test_a_network_of_keypoints_says_that_it_cannot() -> None:
    class Keypoints(FommModel):
        name = "keypoints"

    with pytest.raises(ModelError, match="keypoints tracks no landmarks"):
        Keypoints.open_analyser(Keypoints.__new__(Keypoints), True)
