"""How far landmarks move when a value of pose or expression is off."""

from __future__ import annotations

import numpy as np

from models.contract import FaceParameters, FloatArray
from models.landmarks import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER
from models.mesh.card import EXPRESSION_VALUES
from models.mesh.face_space import FaceSpace
from models.mesh.parameters import UNITS, to_values

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
