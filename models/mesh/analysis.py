"""Finding a face, its rest shape in the key picture, and its pose and expression elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import Analyser, Analysis, FloatArray, Picture
from models.face_tracking import FaceTracker
from models.mesh.card import EXPRESSION_VALUES, POSE_VALUES
from models.mesh.face_space import FaceSpace
from models.mesh.parameters import quantised, to_parameters
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


class MeshAnalyser(Analyser):
    """Tracks landmarks, and expresses them as pose and expression against a key picture."""

    def __init__(self, space: FaceSpace) -> None:
        self._space = space
        self._tracker = FaceTracker()

    def remember(self, pictures: int) -> None:
        """Keep the landmarks of up to so many pictures."""
        self._tracker.remember(pictures)

    def rewind(self) -> None:
        """Follow no face any more."""
        self._tracker.rewind()

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face."""
        return self._tracker.track(picture) is not None

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Pose of a key picture against the average face; its expression is zero by definition."""
        landmarks = self._tracker.look(picture)
        if landmarks is None:
            return None
        pose = pose_to_values(find_pose(self._space.mean, landmarks, self._space.weights))
        values = np.concatenate([quantised(pose), np.zeros(EXPRESSION_VALUES)])
        rest = values_to_pose(values[:POSE_VALUES]).remove(landmarks)
        return Analysis(to_parameters(values), RestFace(landmarks, rest))

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Pose and expression of a driven picture against the key picture's rest shape."""
        values = self.values(picture, key.detail)
        return None if values is None else Analysis(to_parameters(values))

    def values(self, picture: Picture, face: RestFace) -> FloatArray | None:
        """Pose and expression values [14], not quantised; None without a face."""
        landmarks = self._tracker.track(picture)
        if landmarks is None:
            return None
        pose = find_pose(face.rest, landmarks, self._space.weights)
        expression = self._space.expression(pose.remove(landmarks), face.rest)
        return np.concatenate([pose_to_values(pose), expression[:EXPRESSION_VALUES]])

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()
