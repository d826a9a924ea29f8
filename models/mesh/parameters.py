"""Pose and expression values as face parameters: one compact feature (matrix type 7).

The same 14 numbers drive every model that draws from landmarks.
"""

from __future__ import annotations

import numpy as np

from models.contract import FaceParameters, FloatArray
from models.errors import ModelError
from models.mesh.card import CARD, COMPACT_FEATURE, EXPRESSION_VALUES, POSE_VALUES

FACE_VALUES = POSE_VALUES + EXPRESSION_VALUES
PRECISION = CARD.layout.matrix_precision

# The parameter that one unit of the coded value stands for. With steps of 2**-8 this makes the
# steps 0.014 radians, 0.0035 picture widths, 1.4 % of scale and 0.009 in units of the face
# space, each of which moves landmarks by about the same small amount.
STEPS = np.array([0.014] * 3 + [0.0035] * 2 + [0.014] + [0.009] * EXPRESSION_VALUES)
UNITS = STEPS * 2**PRECISION
# Real faces stay far inside; what a damaged stream says must not make numbers overflow.
_LIMITS = np.array([np.pi] * 3 + [4.0] * 2 + [5.0] + [16.0] * EXPRESSION_VALUES)


def to_parameters(values: FloatArray, steps: FloatArray | None = None) -> FaceParameters:
    """Face parameters of pose and expression values [14].

    `steps` [K] are further values of the compact feature, in quantisation steps.
    """
    coded = values / UNITS
    if steps is not None:
        coded = np.concatenate([coded, steps / 2**PRECISION])
    return FaceParameters(matrices=((COMPACT_FEATURE, coded.reshape(1, 1, -1)),))


def to_values(parameters: FaceParameters, further: int = 0) -> tuple[FloatArray, FloatArray]:
    """Pose and expression values [14] within limits, and `further` values in quantisation steps.

    Raises:
        ModelError: the parameters have another layout.
    """
    shape = (1, 1, FACE_VALUES + further)
    found = [(kind, values.shape) for kind, values in parameters.matrices]
    if found != [(COMPACT_FEATURE, shape)]:
        raise ModelError(
            f"the model wants one matrix of type {COMPACT_FEATURE} and shape {shape}, not {found}"
        )
    coded = parameters.matrices[0][1].ravel()
    values = np.clip(coded[:FACE_VALUES] * UNITS, -_LIMITS, _LIMITS)
    return values, coded[FACE_VALUES:] * 2**PRECISION


def quantised(values: FloatArray) -> FloatArray:
    """The first of pose and expression values as a message can carry them, unpredicted."""
    steps = STEPS[: len(values)]
    result: FloatArray = np.round(values / steps) * steps
    return result
