from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.landmarks.face_space import HeadPose, find_pose, pose_to_values, values_to_pose

angles = st.floats(-0.8, 0.8)
scales = st.floats(0.05, 3.0)
places = st.floats(-1.0, 2.0)


def random_shape(seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(50, 3))


@given(st.tuples(angles, angles, angles), scales, st.tuples(places, places, places))
def test_pose_of_a_posed_shape_is_found(
    rotation: tuple[float, ...], scale: float, translation: tuple[float, ...]
) -> None:
    shape = random_shape()
    pose = HeadPose(
        cv2.Rodrigues(np.array(rotation))[0].astype(np.float64), scale, np.array(translation)
    )
    found = find_pose(shape, pose.apply(shape), np.ones(len(shape)))
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(found.scale, scale, rtol=1e-9)
    np.testing.assert_allclose(found.translation, translation, atol=1e-9)


@given(st.tuples(angles, angles, angles), scales, st.tuples(places, places))
def test_pose_values_round_trip(
    rotation: tuple[float, ...], scale: float, translation: tuple[float, ...]
) -> None:
    values = np.array([*rotation, *translation, np.log(scale)])
    # cv2.Rodrigues takes a turn of 1e-5 radians for none: a thousandth of a coded step.
    np.testing.assert_allclose(pose_to_values(values_to_pose(values)), values, atol=2e-5)


def test_remove_undoes_apply() -> None:
    shape = random_shape(3)
    pose = values_to_pose(np.array([0.2, -0.3, 0.1, 0.5, 0.4, -1.2]))
    np.testing.assert_allclose(pose.remove(pose.apply(shape)), shape, atol=1e-12)


def test_a_mirrored_shape_is_not_taken_for_a_rotation() -> None:
    shape = random_shape(1)
    found = find_pose(shape, shape * (-1.0, 1.0, 1.0), np.ones(len(shape)))
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)


def test_weights_decide_which_points_the_pose_fits() -> None:
    shape = random_shape(2)
    moved = shape.copy()
    moved[0] += 5.0
    weights = np.ones(len(shape))
    weights[0] = 1e-9
    pose = find_pose(shape, moved, weights)
    np.testing.assert_allclose(pose.apply(shape)[1:], shape[1:], atol=1e-6)
