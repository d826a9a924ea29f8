"""Controls of `mesh` and `face`: pose directly, lids, lips and smile by the expression.

Openings, as a head of a certain pose shows them, are linear in the coefficients of expression, and
so is the smile. Of all changes of the coefficients that make the wanted one, the likeliest is
taken: the smallest in standard deviations of the face space. What is not asked for is held: lids
where lips move, both where the mouth smiles.

Pose in the numbers is of all points together, so that of a filmed head changes where its jaw drops:
it is raised, and the face smaller. An edit of the expression alone would turn and shrink the head
by that. So it sets the pose so that what no expression moves stays where it was.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gfvc.face_edits.controls import (
    AS_ASKED,
    SMOOTHING,
    FaceControls,
    Limited,
    Response,
    ShownFaces,
)
from gfvc.options.editing import FaceEdit
from models.contract import FloatArray
from models.landmarks.face_space import FaceSpace, find_pose, pose_to_values, values_to_pose
from models.landmarks.head_angles import head_angles, head_rotations
from models.landmarks.layout import EXPRESSION_VALUES, FACE_VALUES, POSE_VALUES
from models.landmarks.points import ALL_POINTS, LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER, RIGID
from models.landmarks.ranges import ANGLES, EXPRESSION, FACING, PLACE
from models.landmarks.values import UNITS
from models.metrics.openings import LEFT_LIDS, LIPS, RIGHT_LIDS

SMILE = 0.05
"""How far a smile of 1 moves each corner of the mouth, outwards and up, in eye distances."""

_NOSE_TIP = 1
_RIGHT_MOUTH_CORNER, _LEFT_MOUTH_CORNER = 61, 291
_ROTATION, _PLACE = slice(0, 3), slice(3, POSE_VALUES)
_EXPRESSION = slice(POSE_VALUES, FACE_VALUES)
_LIDS, _LIPS, _SMILE = range(3)
_ROUNDING = 1e-9
_RIGID = np.isin(np.arange(ALL_POINTS), RIGID).astype(np.float64)


def _apart(shapes: FloatArray) -> FloatArray:
    """From upper to lower rims of lids, and of lips: mean displacements [..., 2, 3]."""
    apart = [
        np.mean([shapes[..., down, :] - shapes[..., up, :] for up, down in rims], axis=0)
        for rims in (RIGHT_LIDS + LEFT_LIDS, LIPS)
    ]
    return np.stack(apart, axis=-2)


def _down(rotations: FloatArray) -> FloatArray:
    """What of a displacement in heads [3] is seen as down in the face, for n poses: [n, 3].

    Seen in the picture's plane; rotation vectors [n, 3] are in radians.
    """
    from scipy.spatial.transform import Rotation

    plane = Rotation.from_rotvec(rotations).as_matrix()[:, :2]
    axis = plane[:, :, 1]
    axis = axis / np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), _ROUNDING)
    down: FloatArray = np.einsum("ni,nij->nj", axis, plane)
    return down


def _smile(shapes: FloatArray) -> FloatArray:
    corners = shapes[..., [_RIGHT_MOUTH_CORNER, _LEFT_MOUTH_CORNER], :]
    outwards = (corners[..., 1, 0] - corners[..., 0, 0]) / 2
    up = shapes[..., _NOSE_TIP, 1] - corners[..., 1].mean(axis=-1)
    smile: FloatArray = (outwards + up) / np.sqrt(2)
    return smile


def _beyond_numbers(
    space: FaceSpace, row: FloatArray, landmarks: FloatArray | None, rest: FloatArray
) -> FloatArray:
    """What the shape [478, 3] of a shown face has that its numbers do not say; 0 where unknown."""
    if landmarks is None:
        return np.zeros_like(rest)
    values = row[:FACE_VALUES] * UNITS
    shape = values_to_pose(values[:POSE_VALUES]).remove(landmarks)
    beyond: FloatArray = shape - space.deform(rest, values[_EXPRESSION])
    return beyond


class LandmarkControls(FaceControls):
    """Controls of 14 values, and those that a model adds and nobody edits.

    `key` [size] are the numbers of the base message, `rest` [478, 3] the shape of the key picture's
    face without pose, where openings are to be edited. `response` says how much of a change shows,
    `offset` [size] what the coded picture's expression is against the first of its sequence.
    `shown` are the faces of the pictures whose rows are edited, all of them and in their order;
    without it, faces are what their numbers say.
    """

    can: ClassVar[frozenset[str]] = SMOOTHING | {
        *("yaw", "pitch", "roll", "pose", "shift", "zoom"),
        *("expression", "mouth", "open", "eyes", "blink", "smile"),
    }

    relative: ClassVar[slice] = _EXPRESSION

    def __init__(
        self,
        space: FaceSpace,
        key: FloatArray,
        rest: FloatArray | None = None,
        response: Response = AS_ASKED,
        offset: FloatArray | None = None,
        shown: ShownFaces | None = None,
    ) -> None:
        self.response = response
        self.offset = np.zeros(len(key)) if offset is None else offset
        self._key = key[None]
        rest = space.mean if rest is None else rest
        eyes = rest[RIGHT_EYE_OUTER_CORNER, :2] - rest[LEFT_EYE_OUTER_CORNER, :2]
        width = float(np.linalg.norm(eyes))
        basis = space.basis[:EXPRESSION_VALUES]
        self._space, self._rest = space, rest
        self._spread = space.spread[:EXPRESSION_VALUES]
        self._moves = _apart(basis) / width
        self._apart = _apart(rest)[None] / width
        self._smiles = _smile(basis) / width
        if shown is not None:
            beyond = [_beyond_numbers(space, *each, rest) for each in shown.each()]
            self._apart = self._apart + _apart(np.stack(beyond)) / width

    def pose(self, rows: FloatArray) -> FloatArray:
        """Angles of the rotation, and the place."""
        values = rows[:, :POSE_VALUES] * UNITS[:POSE_VALUES]
        return np.concatenate([head_angles(values[:, _ROTATION]), values[:, _PLACE]], axis=1)

    def with_pose(self, rows: FloatArray, pose: FloatArray) -> FloatArray:
        """The rotation of the angles, and the place."""
        posed = rows.copy()
        values = np.concatenate([head_rotations(pose[:, :3]), pose[:, 3:]], axis=1)
        posed[:, :POSE_VALUES] = values / UNITS[:POSE_VALUES]
        return posed

    def with_expression(self, rows: FloatArray, edit: FaceEdit) -> FloatArray:
        """Gain of all coefficients, then the likeliest change that makes openings and smile.

        What no expression moves stays.
        """
        coefficients = rows[:, _EXPRESSION] * UNITS[_EXPRESSION]
        if edit.expression is not None:
            from_first = self.offset[_EXPRESSION] * UNITS[_EXPRESSION]
            coefficients = edit.expression * (coefficients + from_first) - from_first
        down = _down(rows[:, _ROTATION] * UNITS[_ROTATION])
        apart = self._apart + np.einsum("nk,kmd->nmd", coefficients, self._moves)
        measured = np.maximum(0, np.einsum("nmd,nd->nm", apart, down))
        changes = np.zeros((len(rows), 3))
        gain = 1.0 if edit.eyes is None else edit.eyes
        changes[:, _LIDS] = (gain * (1 - (edit.blink or 0)) - 1) * measured[:, _LIDS]
        gain = 1.0 if edit.mouth is None else edit.mouth
        lips = np.maximum(0, gain * measured[:, _LIPS] + (edit.open or 0))
        changes[:, _LIPS] = lips - measured[:, _LIPS]
        openings = changes[:, :_SMILE]
        openings /= (self.response.lids, self.response.lips)
        np.maximum(openings, -measured, out=openings)  # no rim passes the other
        moves = np.einsum("kmd,nd->nmk", self._moves, down)
        if edit.smile:
            changes[:, _SMILE] = edit.smile * SMILE
            smiles = np.broadcast_to(self._smiles, (len(rows), 1, EXPRESSION_VALUES))
            moves = np.concatenate([moves, smiles], axis=1)
        else:
            changes = openings
        edited = rows.copy()
        coefficients = coefficients + np.einsum("nkm,nm->nk", self._likeliest(moves), changes)
        edited[:, _EXPRESSION] = coefficients / UNITS[_EXPRESSION]
        return self._steady(rows, edited)

    def _steady(self, before: FloatArray, after: FloatArray) -> FloatArray:
        """Rows [n, size] after a change of their expression, with the head where it was before."""
        steady = after.copy()
        changed = (before[:, _EXPRESSION] != after[:, _EXPRESSION]).any(axis=1)
        for picture in np.flatnonzero(changed):
            was, new = (
                self._space.deform(self._rest, rows[picture, _EXPRESSION] * UNITS[_EXPRESSION])
                for rows in (before, after)
            )
            pose = values_to_pose(after[picture, :POSE_VALUES] * UNITS[:POSE_VALUES])
            held = find_pose(new, pose.apply(was), _RIGID)
            steady[picture, :POSE_VALUES] = pose_to_values(held) / UNITS[:POSE_VALUES]
        return steady

    def _likeliest(self, moves: FloatArray) -> FloatArray:
        """Coefficients [n, 8, m] of the likeliest change that moves each of m measures by 1 alone.

        `moves` [n, m, 8] are by how much coefficients move them.
        """
        inverse: FloatArray = self._spread[:, None] * np.linalg.pinv(moves * self._spread)
        return inverse

    def limited(self, filmed: FloatArray, edited: FloatArray) -> Limited:
        """Pose value by value; an expression is changed in the same direction, but less."""
        held: dict[str, npt.NDArray[np.bool_]] = {}
        rows = edited.copy()
        before = filmed[:, _EXPRESSION] * UNITS[_EXPRESSION] / self._spread
        change = edited[:, _EXPRESSION] * UNITS[_EXPRESSION] / self._spread - before
        bounds = np.where(change > 0, EXPRESSION, -EXPRESSION)
        room = np.maximum(0, (bounds - before) * np.sign(change))
        with np.errstate(divide="ignore", invalid="ignore"):
            beyond = np.abs(change) > room + _ROUNDING
            shares = np.where(beyond, room / np.abs(change), 1.0)
        share = shares.min(axis=1, keepdims=True)
        less = share[:, 0] < 1
        if less.any():
            held["expression"] = less
            within = (before + share * change) * self._spread / UNITS[_EXPRESSION]
            rows[less, _EXPRESSION] = within[less]
            rows[less] = self._steady(edited[less], rows[less])
        key, was, pose = (self.pose(each) for each in (self._key, filmed, rows))
        reach = np.concatenate([ANGLES, PLACE])
        facing = np.concatenate([FACING, np.full(4, np.inf)])
        least = np.minimum(was, np.maximum(key - reach, -facing))
        within = np.clip(pose, least, np.maximum(was, np.minimum(key + reach, facing)))
        names = ("yaw", "pitch", "roll", "shift", "shift", "zoom")
        outside = np.abs(within - pose) > _ROUNDING
        for name, beyond in zip(names, outside.T, strict=True):
            if beyond.any():
                held[name] = held[name] | beyond if name in held else beyond
        return Limited(self.with_pose(rows, within) if outside.any() else rows, held)
