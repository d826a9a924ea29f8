"""The face of a key picture: its landmarks, and its shape without pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import FloatArray, Picture
from models.face_tracking import FaceTracker
from models.mesh.card import EXPRESSION_VALUES, POSE_VALUES
from models.mesh.face_space import FaceSpace
from models.mesh.parameters import quantised
from models.mesh.shape import find_pose, pose_to_values, values_to_pose


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


def find_rest_face(space: FaceSpace, key_picture: Picture, values: FloatArray) -> RestFace:
    """The face of a decoded key picture, as the encoder found it.

    `values` [14] are those of the base message. Where the tracker sees no face, the average face
    in their pose stands in, so that a stream still decodes.
    """
    pose = values_to_pose(values[:POSE_VALUES])
    with FaceTracker() as tracker:
        landmarks = tracker.look(key_picture)
    if landmarks is None:
        rest = space.deform(space.mean, values[POSE_VALUES:])
        return RestFace(pose.apply(rest), rest)
    return RestFace(landmarks, pose.remove(landmarks))
