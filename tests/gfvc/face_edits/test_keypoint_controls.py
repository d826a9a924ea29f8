from __future__ import annotations

import numpy as np
import pytest

from gfvc.face_edits.controls import FaceControls
from gfvc.face_edits.course import edited
from gfvc.face_edits.keypoint_controls import KeypointControls, RotationControls
from gfvc.options.editing import FaceEdit
from models.contract import FloatArray
from models.landmarks.head_angles import head_rotations
from models.published.cards import fomm, fv2v

FOMM = fomm()[0].layout
ROTATION, KEYPOINTS = (card.layout for card in fv2v())
RANDOM = np.random.default_rng(17)


def done(rows: FloatArray, controls: FaceControls, **asked: object) -> FloatArray:
    edit = FaceEdit(**asked)  # type: ignore[arg-type]
    return edited(rows, np.arange(len(rows)) / 25, [edit], controls, np.zeros(6)).rows


def fomm_rows(pictures: int = 4) -> FloatArray:
    """A key picture's keypoints and Jacobians, and others near them."""
    key = np.concatenate([RANDOM.uniform(-0.5, 0.5, 20), np.tile(np.eye(2).ravel(), 10)])
    rows: FloatArray = key + RANDOM.normal(size=(pictures, 60)) * 0.02
    rows[0] = key
    return rows


def test_keypoints_and_jacobians_turn_grow_and_move_together() -> None:
    rows = fomm_rows()
    controls = KeypointControls(FOMM, rows[0], rows[0])
    after = done(rows, controls, roll=-90, zoom=2.0, shift=(0.1, 0.2))
    points, moved = (each[:, :20].reshape(4, 10, 2) for each in (rows, after))
    centre = points.mean(axis=1, keepdims=True)
    # A tilt to the right of the picture by a quarter: what was right of the centre is below it.
    offsets = points - centre
    wanted = np.stack([-offsets[..., 1], offsets[..., 0]], axis=-1) * 2 + centre + [0.2, 0.4]
    assert moved == pytest.approx(wanted)
    jacobians, turned = (each[:, 20:].reshape(4, 10, 2, 2) for each in (rows, after))
    assert turned == pytest.approx(2 * np.array([[0, -1], [1, 0]]) @ jacobians)


def test_pose_and_expression_are_parted() -> None:
    rows = fomm_rows()
    controls = KeypointControls(FOMM, rows[0], rows[0])
    still = done(rows, controls, expression=0)
    assert controls.pose(still) == pytest.approx(controls.pose(rows), abs=1e-3)
    assert still[0] == pytest.approx(rows[0])
    assert done(rows, controls, expression=1) == pytest.approx(rows)


def test_depth_grows_with_the_face() -> None:
    rows = RANDOM.uniform(-0.5, 0.5, (3, 45))
    controls = KeypointControls(KEYPOINTS, rows[0], rows[0])
    after = done(rows, controls, zoom=1.5)
    assert after[:, 2::3] == pytest.approx(1.5 * rows[:, 2::3])


def test_a_rotation_is_tilted_and_scaled() -> None:
    from scipy.spatial.transform import Rotation

    angles = np.array([[10.0, 5.0, 0.0], [12.0, 4.0, 3.0]])
    matrices = Rotation.from_rotvec(head_rotations(angles)).as_matrix()
    rest = RANDOM.normal(size=(2, 45)) * 0.05
    rows = np.concatenate([matrices.reshape(2, 9), [[0.1, 0.2, 0.3]] * 2, rest], axis=1)
    controls = RotationControls(rows[0])
    assert rows.shape[1] == ROTATION.size
    after = done(rows, controls, roll=7, zoom=1.1, shift=(0.1, 0))
    pose = controls.pose(after)
    assert pose[:, :3] == pytest.approx(angles + np.array([0, 0, 7]))
    assert np.exp(pose[:, 5]) == pytest.approx(1.1)
    assert after[:, 9:12] == pytest.approx(np.array([[0.3, 0.2, 0.3]] * 2))
    assert after[:, 12:] == pytest.approx(1.1 * rest)
    flat = done(rows, controls, expression=0)
    assert flat[:, 12:] == pytest.approx(np.tile(rest[0], (2, 1)))
    assert flat[:, :12] == pytest.approx(rows[:, :12])


def test_what_they_cannot_do_is_not_among_what_they_can() -> None:
    for kind in (KeypointControls, RotationControls):
        assert kind.can == {"smooth", "roll", "pose", "shift", "zoom", "expression"}
        assert "depth" in kind.why_not or "plane" in kind.why_not
