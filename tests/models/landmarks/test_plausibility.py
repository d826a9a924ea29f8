"""Meshes that are none of a face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models import default_registry
from models.contract import FloatArray
from models.landmarks.face_space import HeadPose, shipped_face_space
from models.landmarks.plausibility import MeshJudge
from models.landmarks.tracking import FaceTracker

SPACE = shipped_face_space()
JUDGE = MeshJudge(SPACE)


def posed(turn: FloatArray, shape: FloatArray = SPACE.mean) -> FloatArray:
    """A shape [478, 3] in a picture, turned by a rotation vector in degrees."""
    rotation = cv2.Rodrigues(np.radians(turn))[0]
    return HeadPose(np.asarray(rotation, np.float64), 0.12, np.array([0.5, 0.5, 0.0])).apply(shape)


def test_a_pose_and_an_expression_are_a_face() -> None:
    for turn in ([0, 0, 0], [15, 0, 0], [0, 40, 0], [0, -40, 0], [0, 0, 90], [0, 0, -90]):
        measures = JUDGE.measure(posed(np.array(turn, np.float64)))
        assert measures.residual < 1e-6
        assert measures.strain < 0.01
    turned = JUDGE.measure(posed(np.array([0.0, 0.0, 80.0])))
    assert turned.roll == pytest.approx(80)
    assert JUDGE.measure(posed(np.array([0.0, 30.0, 0.0]))).yaw == pytest.approx(30)
    open_mouth = SPACE.deform(SPACE.mean, 3 * SPACE.spread)
    measures = JUDGE.measure(posed(np.zeros(3), open_mouth))
    assert measures.plausible
    assert 2 < measures.expression < 4


def test_what_is_none() -> None:
    ahead = posed(np.zeros(3))
    squashed = ahead * (1, 0.5, 1) + (0, 0.25, 0)
    shaken = ahead + np.random.default_rng(1).normal(0, 0.02, ahead.shape)
    mirrored = ahead * (-1, 1, 1) + (1, 0, 0)
    for mesh in (squashed, shaken, mirrored):
        assert not JUDGE.is_face(mesh)
    # It is that of a face where the picture is twice as high as wide.
    assert JUDGE.is_face(squashed, 2.0)
    assert JUDGE.measure(shaken).turned_over > 0.03
    grimace = SPACE.deform(SPACE.mean, 8 * SPACE.spread)
    assert not JUDGE.is_face(posed(np.zeros(3), grimace))


def test_a_face_mostly_out_of_the_picture_is_none() -> None:
    ahead = posed(np.zeros(3))
    assert JUDGE.is_face(ahead - (0.4, 0, 0))
    halfway = JUDGE.measure(ahead - (0.5, 0, 0))
    assert halfway.outside == pytest.approx(0.5, abs=0.05)
    assert not halfway.plausible


def test_faces_on_their_side_are_tracked_and_others_are_no_face_to_the_analyser() -> None:
    """What the library melts over a face upside down must not become a key picture."""
    still = demo_still(256)
    with (
        FaceTracker() as tracker,
        default_registry().find("mesh").load().open_analyser() as analyser,
    ):
        for picture in (still, np.ascontiguousarray(np.rot90(still))):
            assert analyser.finds_face(picture)
            assert analyser.analyse_key(picture) is not None
        matrix = cv2.getRotationMatrix2D((128, 128), 120, 1)
        melted = np.asarray(cv2.warpAffine(still, matrix, (256, 256)), np.uint8)
        assert tracker.look(melted) is not None
        assert analyser.landmarks(melted) is None
        assert not analyser.finds_face(melted)
        assert analyser.analyse_key(melted) is None
