"""Between face parameters and the parts that decisions are about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from gfvc.symbol_decisions.code_lengths import IntegerArray, coordinate_bits, matrix_bits
from gfvc.symbol_decisions.parts import CodeLength, Part
from models import FaceParameters, ParameterLayout
from models.contract import FloatArray
from sei import FaceValues, MatrixValues

DEFAULT_STEP_WEIGHT = 0.25
"""Distortion of an error of one step where a model does not say: much as those of `mesh`."""


def to_parts(
    parameters: Sequence[FaceParameters | None],
    layout: ParameterLayout,
    value_weights: FloatArray | None,
) -> list[Part]:
    """The parts of an access unit; keypoints, if any, first.

    `parameters` begin with those of the key picture. None stands for a picture without a face:
    it stays as before. `value_weights` are those of `AnimationModel.value_weights`, None for
    `default_weights`.
    """
    if value_weights is None:
        value_weights = default_weights(layout)
    held: list[FaceParameters] = []
    for row in parameters:
        held.append(held[-1] if row is None else row)
    parts = []
    split = layout.keypoints * layout.dimensions
    if layout.keypoints:
        points = np.stack([np.ravel(row.keypoints) for row in held if row.keypoints is not None])
        weights = value_weights[:split]
        parts.append(_part(points, layout.coordinate_precision, weights, coordinate_bits))
    if layout.matrices:
        precision = layout.matrix_precision
        elements = np.stack(
            [np.concatenate([np.ravel(values) for _, values in row.matrices]) for row in held]
        )
        bits = partial(matrix_bits, precision=precision)
        parts.append(_part(elements, precision, value_weights[split:], bits))
    return parts


def default_weights(layout: ParameterLayout) -> FloatArray:
    """Weights [values] that count steps of a layout, for a model that does not say any."""
    coordinates = layout.keypoints * layout.dimensions
    elements = sum(m.count * m.height * m.width for m in layout.matrices)
    steps = [
        np.full(coordinates, 4.0**layout.coordinate_precision),
        np.full(elements, 4.0**layout.matrix_precision),
    ]
    weights: FloatArray = DEFAULT_STEP_WEIGHT * np.concatenate(steps)
    return weights


def _part(
    values: FloatArray, precision: int, value_weights: FloatArray, code_length: CodeLength
) -> Part:
    targets = values * 2.0**precision
    base = np.rint(targets[0]).astype(np.int64)
    return Part(targets, base, value_weights * 4.0**-precision, code_length)


def to_face_values(rows: Sequence[IntegerArray | None], layout: ParameterLayout) -> FaceValues:
    """What a message carries: a row of integers for each part, None for one that it leaves out."""
    remaining = list(rows)
    points = remaining.pop(0) if layout.keypoints else None
    elements = remaining.pop(0) if layout.matrices else None
    keypoints = None
    if points is not None:
        keypoints = tuple(map(tuple, points.reshape(-1, layout.dimensions).tolist()))
    matrices = []
    start = 0
    for shape in layout.matrices if elements is not None else ():
        assert elements is not None
        size = shape.count * shape.height * shape.width
        nested = elements[start : start + size].reshape(shape.shape).tolist()
        numbers = tuple(tuple(map(tuple, matrix)) for matrix in nested)
        matrices.append(MatrixValues(shape.matrix_type, layout.matrix_precision, numbers))
        start += size
    precision = None if keypoints is None else layout.coordinate_precision
    return FaceValues(keypoints, precision, tuple(matrices))
