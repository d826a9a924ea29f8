"""Controls of networks that send keypoints, or a rotation with keypoints that deform.

Positions are in halves of the picture. What moves keypoints as a whole in the picture's plane is
pose, the rest of how they differ from the key picture's is expression: nobody knows which keypoint
is of the mouth or of an eye, nor which way a network's own depth points.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from gfvc.face_edits.controls import ROLL, SCALE, SMOOTHING, FaceControls, X, Y
from gfvc.options.editing import FaceEdit
from models import ParameterLayout
from models.contract import FloatArray
from models.landmarks.head_angles import head_angles, head_rotations

_IN_PLANE = SMOOTHING | {"roll", "pose", "shift", "zoom", "expression"}
_HALF = 2.0  # of these is a picture


class KeypointControls(FaceControls):
    """Controls of keypoints [K, 2 or 3], and of 2x2 Jacobians if matrices are as many.

    `reference` [size] are numbers of the stream's first base message, to which poses are relative;
    `key` [size] those of the access unit's.
    """

    can: ClassVar[frozenset[str]] = _IN_PLANE
    why_not: ClassVar[str] = (
        "its keypoints are turned in the picture's plane alone, and none is known to be of an eye "
        "or of the mouth"
    )

    def __init__(self, layout: ParameterLayout, reference: FloatArray, key: FloatArray) -> None:
        self._layout = layout
        self._reference = self._plane(reference[None])[0]
        self._key = key[None]

    def _points(self, rows: FloatArray) -> FloatArray:
        layout = self._layout
        return rows[:, : layout.coordinates].reshape(len(rows), layout.keypoints, layout.dimensions)

    def _plane(self, rows: FloatArray) -> FloatArray:
        """Keypoints as complex numbers [n, K]."""
        points = self._points(rows)
        plane: FloatArray = points[..., 0] + 1j * points[..., 1]
        return plane

    def pose(self, rows: FloatArray) -> FloatArray:
        """The similarity that best takes the reference's keypoints to those of a picture."""
        plane = self._plane(rows)
        centres = plane.mean(axis=1)
        centred = self._reference - self._reference.mean()
        power = np.maximum((np.abs(centred) ** 2).sum(), np.finfo(float).tiny)
        turned = ((plane - centres[:, None]) * centred.conj()).sum(axis=1) / power
        pose = np.zeros((len(rows), 6))
        pose[:, ROLL] = -np.degrees(np.angle(turned))
        pose[:, X], pose[:, Y] = centres.real / _HALF, centres.imag / _HALF
        pose[:, SCALE] = np.log(np.maximum(np.abs(turned), np.finfo(float).tiny))
        return pose

    def with_pose(self, rows: FloatArray, pose: FloatArray) -> FloatArray:
        """Keypoints and Jacobians, turned, scaled and moved together."""
        return self._moved(rows, self.pose(rows), pose)

    def _moved(self, rows: FloatArray, before: FloatArray, after: FloatArray) -> FloatArray:
        change = after - before
        angles = -np.radians(change[:, ROLL])
        factors = np.exp(change[:, SCALE])
        sine, cosine = np.sin(angles), np.cos(angles)
        turns = np.array([[cosine, -sine], [sine, cosine]]).transpose(2, 0, 1)
        turns *= factors[:, None, None]
        centres, targets = (each[:, None, [X, Y]] * _HALF for each in (before, after))
        points = self._points(rows).copy()
        points[..., :2] = (points[..., :2] - centres) @ turns.transpose(0, 2, 1) + targets
        points[..., 2:] *= factors[:, None, None]
        moved = rows.copy()
        split = self._layout.coordinates
        moved[:, :split] = points.reshape(len(rows), -1)
        if self._layout.elements == 4 * self._layout.keypoints:
            jacobians = rows[:, split:].reshape(len(rows), -1, 2, 2)
            moved[:, split:] = (turns[:, None] @ jacobians).reshape(len(rows), -1)
        return moved

    def with_expression(self, rows: FloatArray, edit: FaceEdit) -> FloatArray:
        """Gain of how keypoints differ from the key picture's, moved as a whole."""
        gain = 1.0 if edit.expression is None else edit.expression
        keys = np.repeat(self._key, len(rows), axis=0)
        still = self._moved(keys, self.pose(keys), self.pose(rows))
        return still + gain * (rows - still)


class RotationControls(FaceControls):
    """Controls of a rotation [3, 3], a translation [3] and displacements of keypoints."""

    can: ClassVar[frozenset[str]] = _IN_PLANE
    why_not: ClassVar[str] = (
        "which way its network's own depth points is not known, nor which keypoint is of an eye or "
        "of the mouth"
    )
    _ROTATION, _TRANSLATION, _REST = slice(0, 9), slice(9, 12), slice(12, None)

    def __init__(self, key: FloatArray) -> None:
        self._key = key

    def _turns(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rotation vectors [n, 3], and scales [n]."""
        from scipy.spatial.transform import Rotation

        matrices = rows[:, self._ROTATION].reshape(-1, 3, 3)
        scales = np.cbrt(np.maximum(np.linalg.det(matrices), np.finfo(float).tiny))
        return Rotation.from_matrix(matrices / scales[:, None, None]).as_rotvec(), scales

    def pose(self, rows: FloatArray) -> FloatArray:
        """Angles of the rotation; yaw and pitch by a sign that nobody knows."""
        vectors, scales = self._turns(rows)
        places = rows[:, self._TRANSLATION][:, :2] / _HALF
        return np.concatenate([head_angles(vectors), places, np.log(scales)[:, None]], axis=1)

    def with_pose(self, rows: FloatArray, pose: FloatArray) -> FloatArray:
        """The rotation of the angles, and the translation."""
        from scipy.spatial.transform import Rotation

        scales = np.exp(pose[:, SCALE])[:, None]
        matrices = Rotation.from_rotvec(head_rotations(pose[:, :3])).as_matrix()
        posed = rows.copy()
        posed[:, self._ROTATION] = scales * matrices.reshape(len(rows), 9)
        posed[:, 9:11] = pose[:, [X, Y]] * _HALF
        posed[:, self._REST] *= scales / self._turns(rows)[1][:, None]
        return posed

    def with_expression(self, rows: FloatArray, edit: FaceEdit) -> FloatArray:
        """Gain of the displacements against the key picture's."""
        gain = 1.0 if edit.expression is None else edit.expression
        edited = rows.copy()
        key = self._key[self._REST]
        edited[:, self._REST] = key + gain * (rows[:, self._REST] - key)
        return edited
