"""The `mesh` model: Face Mesh landmarks described by pose and expression, drawn by a warp.

No network is trained for it. The encoder tracks landmarks and sends 14 numbers a picture as one
compact feature (matrix type 7): 6 of head pose, 8 of expression. The decoder rebuilds the
landmarks and bends the key picture so that its landmarks come to lie there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.contract import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    FloatArray,
    ParameterLayout,
    Picture,
    Reference,
)
from models.errors import ModelError
from models.face_tracking import FaceTracker
from models.mesh.card import CARD, COMPACT_FEATURE, EXPRESSION_VALUES, POSE_VALUES
from models.mesh.face_space import FaceSpace
from models.mesh.landmark_warp import LandmarkWarp
from models.mesh.shape import find_pose, pose_to_values, values_to_pose

LAYOUT = CARD.layout

# The parameter that one unit of the coded value stands for. With steps of 2**-8 this makes the
# steps 0.014 radians, 0.0035 picture widths, 1.4 % of scale and 0.009 in units of the face
# space, each of which moves landmarks by about the same small amount.
STEPS = np.array([0.014] * 3 + [0.0035] * 2 + [0.014] + [0.009] * EXPRESSION_VALUES)
_UNITS = STEPS * 2**LAYOUT.matrix_precision
# Real faces stay far inside; what a damaged stream says must not make numbers overflow.
_LIMITS = np.array([np.pi] * 3 + [4.0] * 2 + [5.0] + [16.0] * EXPRESSION_VALUES)


def _to_parameters(values: FloatArray) -> FaceParameters:
    return FaceParameters(matrices=((COMPACT_FEATURE, (values / _UNITS).reshape(1, 1, -1)),))


def _to_values(parameters: FaceParameters) -> FloatArray:
    """Pose and expression values [14], within limits; raise `ModelError` for another layout."""
    expected = LAYOUT.matrices[0]
    if (
        len(parameters.matrices) != 1
        or parameters.matrices[0][0] != expected.matrix_type
        or parameters.matrices[0][1].shape != expected.shape
    ):
        found = [(kind, values.shape) for kind, values in parameters.matrices]
        raise ModelError(
            f"mesh parameters are one matrix of type 7 and shape {expected.shape}, not {found}"
        )
    values: FloatArray = parameters.matrices[0][1].ravel() * _UNITS
    return np.clip(values, -_LIMITS, _LIMITS)


@dataclass(frozen=True, slots=True)
class _RestFace:
    """A key picture's own shape without pose, and the pose it had."""

    key_landmarks: FloatArray  # [478, 3]
    rest: FloatArray  # [478, 3]

    def landmarks(self, space: FaceSpace, values: FloatArray) -> FloatArray:
        shape = space.deform(self.rest, values[POSE_VALUES:])
        return values_to_pose(values[:POSE_VALUES]).apply(shape)


def _quantise_key(values: FloatArray) -> FloatArray:
    """Pose values as the base message can carry them."""
    steps = STEPS[: len(values)]
    quantised: FloatArray = np.round(values / steps) * steps
    return quantised


class MeshAnalyser(Analyser):
    """Tracks landmarks, and expresses them as pose and expression against a key picture."""

    def __init__(self, space: FaceSpace) -> None:
        self._space = space
        self._tracker = FaceTracker()

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether a picture shows a face."""
        return self._tracker.track(picture) is not None

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Pose of a key picture against the average face; its expression is zero by definition."""
        landmarks = self._tracker.look(picture)
        if landmarks is None:
            return None
        pose = pose_to_values(find_pose(self._space.mean, landmarks, self._space.weights))
        values = np.concatenate([_quantise_key(pose), np.zeros(EXPRESSION_VALUES)])
        rest = values_to_pose(values[:POSE_VALUES]).remove(landmarks)
        return Analysis(_to_parameters(values), _RestFace(landmarks, rest))

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Pose and expression of a driven picture against the key picture's rest shape."""
        landmarks = self._tracker.track(picture)
        if landmarks is None:
            return None
        face: _RestFace = key.detail
        pose = find_pose(face.rest, landmarks, self._space.weights)
        expression = self._space.expression(pose.remove(landmarks), face.rest)
        values = np.concatenate([pose_to_values(pose), expression[:EXPRESSION_VALUES]])
        return Analysis(_to_parameters(values))

    def close(self) -> None:
        """Free the tracker."""
        self._tracker.close()


class MeshReference(Reference):
    """A key picture with its landmarks and rest shape."""

    def __init__(self, space: FaceSpace, picture: Picture, face: _RestFace) -> None:
        self._space = space
        self._face = face
        self._warp = LandmarkWarp(picture, face.key_landmarks)

    def animate(self, parameters: FaceParameters) -> Picture:
        """Warp the key picture to the landmarks that the parameters describe."""
        return self._warp.draw(self._face.landmarks(self._space, _to_values(parameters)))


class MeshModel(AnimationModel):
    """Pose and expression of 478 tracked landmarks, drawn by bending the key picture."""

    def __init__(self, space: FaceSpace) -> None:
        if len(space.basis) < EXPRESSION_VALUES:
            raise ModelError(f"the face space holds fewer than {EXPRESSION_VALUES} expressions")
        self._space = space

    @property
    def layout(self) -> ParameterLayout:
        """One compact feature of 14 values."""
        return LAYOUT

    def open_analyser(self) -> Analyser:
        """Start tracking a clip."""
        return MeshAnalyser(self._space)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters) -> Reference:
        """Find the landmarks of the decoded key picture, as the encoder did.

        Where the tracker sees no face, the average face in the pose of the base message stands
        in, so that a stream still decodes.
        """
        values = _to_values(key_parameters)
        pose = values_to_pose(values[:POSE_VALUES])
        with FaceTracker() as tracker:
            landmarks = tracker.look(key_picture)
        if landmarks is None:
            rest = self._space.deform(self._space.mean, values[POSE_VALUES:])
            return MeshReference(self._space, key_picture, _RestFace(pose.apply(rest), rest))
        return MeshReference(self._space, key_picture, _RestFace(landmarks, pose.remove(landmarks)))
