"""Pose and expression of a face as 14 values, and as face parameters of a stream.

    landmarks ── RestFace.values ──► values [14] ── to_parameters ──► FaceParameters
    landmarks ◄── RestFace.landmarks ── values [14] ◄── to_values ── FaceParameters

The parameters are one compact feature (matrix type 7), in which a model may send further values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import FaceParameters, FloatArray, Picture
from models.landmarks.face_space import FaceSpace, find_pose, pose_to_values, values_to_pose
from models.landmarks.layout import (
    EXPRESSION_VALUES,
    FACE_VALUES,
    POSE_VALUES,
    PRECISION,
    face_layout,
)
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER
from models.landmarks.tracking import look_at_still

# The parameter that one unit of the coded value stands for. With steps of 2**-8 this makes the
# steps 0.014 radians, 0.0035 picture widths, 1.4 % of scale and 0.009 in units of the face
# space, each of which moves landmarks by about the same small amount.
STEPS = np.array([0.014] * 3 + [0.0035] * 2 + [0.014] + [0.009] * EXPRESSION_VALUES)
UNITS = STEPS * 2**PRECISION
# A face that looks straight ahead, in the middle of the picture and half as wide as this.
_MIDDLE = np.array([0.0, 0.0, 0.0, 0.5, 0.5, np.log(0.15)] + [0.0] * EXPRESSION_VALUES)
# Real faces stay far inside; what a damaged stream says must not make numbers overflow.
_LIMITS = np.array([np.pi] * 3 + [4.0] * 2 + [5.0] + [16.0] * EXPRESSION_VALUES)


def to_parameters(values: FloatArray, steps: FloatArray | None = None) -> FaceParameters:
    """Face parameters of pose and expression values [14].

    `steps` [K] are further values of the compact feature, in quantisation steps.
    """
    coded = values / UNITS
    if steps is None:
        return face_layout().unflatten(coded)
    return face_layout(len(steps)).unflatten(np.concatenate([coded, steps / 2**PRECISION]))


def to_values(parameters: FaceParameters, further: int = 0) -> tuple[FloatArray, FloatArray]:
    """Pose and expression values [14] within limits, and `further` values in quantisation steps.

    Raises:
        ModelError: the parameters have another layout.
    """
    coded = face_layout(further).flatten(parameters)
    values = np.clip(coded[:FACE_VALUES] * UNITS, -_LIMITS, _LIMITS)
    return values, coded[FACE_VALUES:] * 2**PRECISION


def quantised(values: FloatArray) -> FloatArray:
    """The first of pose and expression values as a message can carry them, unpredicted."""
    steps = STEPS[: len(values)]
    result: FloatArray = np.round(values / steps) * steps
    return result


@dataclass(frozen=True, slots=True)
class RestFace:
    """Landmarks of a key picture, and its shape without the pose that it had: both [478, 3]."""

    key_landmarks: FloatArray
    rest: FloatArray

    def landmarks(self, space: FaceSpace, values: FloatArray) -> FloatArray:
        """Landmarks [478, 3] of pose and expression values [14]."""
        shape = space.deform(self.rest, values[POSE_VALUES:])
        return values_to_pose(values[:POSE_VALUES]).apply(shape)

    def values(self, space: FaceSpace, landmarks: FloatArray) -> FloatArray:
        """Pose and expression values [14] of landmarks [478, 3], not quantised."""
        pose = find_pose(self.rest, landmarks, space.weights)
        expression = space.expression(pose.remove(landmarks), self.rest)
        return np.concatenate([pose_to_values(pose), expression[:EXPRESSION_VALUES]])


def rest_face(space: FaceSpace, landmarks: FloatArray) -> tuple[RestFace, FloatArray]:
    """The face of landmarks [478, 3] of a key picture, and the values [14] of its base message.

    They are its pose against the average face, quantised; its expression is zero by definition.
    """
    pose = quantised(pose_to_values(find_pose(space.mean, landmarks, space.weights)))
    rest = values_to_pose(pose).remove(landmarks)
    return RestFace(landmarks, rest), np.concatenate([pose, np.zeros(EXPRESSION_VALUES)])


def find_rest_face(space: FaceSpace, key_picture: Picture, values: FloatArray | None) -> RestFace:
    """The face of a decoded key picture, as the encoder found it.

    `values` [14] are those of the base message, None without one. Where the tracker sees no face,
    the average face in their pose, or in the middle, stands in, so that a stream still decodes.
    """
    landmarks = look_at_still(key_picture)
    if values is None:
        if landmarks is not None:
            return rest_face(space, landmarks)[0]
        values = _MIDDLE
    pose = values_to_pose(values[:POSE_VALUES])
    if landmarks is None:
        rest = space.deform(space.mean, values[POSE_VALUES:])
        return RestFace(pose.apply(rest), rest)
    return RestFace(landmarks, pose.remove(landmarks))


_HUNDREDTHS = 100.0
_LOG_SCALE = 5


def value_weights(space: FaceSpace, key_parameters: FaceParameters, further: int = 0) -> FloatArray:
    """Weights [14 + further] as `AnimationModel.value_weights` wants them, for the average face.

    The mean over landmarks is that of the face space, in which lips and eyelids count more:
    a blink moves few points, and must not be thought cheap to miss. `further` values of other
    kinds follow those of pose and expression; each step of theirs counts as one of these does.
    """
    key, _ = to_values(key_parameters, further)
    mean = space.mean
    eyes = float(np.linalg.norm((mean[LEFT_EYE_OUTER_CORNER] - mean[RIGHT_EYE_OUTER_CORNER])[:2]))
    moves = [np.cross(axis, mean) for axis in np.eye(3)]
    one_picture = np.exp(-key[_LOG_SCALE])  # a picture width, in units of the face space
    moves += [np.broadcast_to(axis * one_picture, mean.shape) for axis in np.eye(3)[:2]]
    moves += [mean, *space.basis[:EXPRESSION_VALUES]]
    squares = np.array([space.weights @ (move[:, :2] ** 2).sum(axis=1) for move in moves])
    weights = squares * (_HUNDREDTHS / eyes * UNITS) ** 2
    return np.concatenate([weights, np.full(further, weights.mean())])
