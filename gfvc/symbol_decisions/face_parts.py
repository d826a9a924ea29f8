"""Between face parameters and the parts that decisions are about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from gfvc.parameter_coding import to_face_values
from gfvc.symbol_decisions.code_lengths import coordinate_bits, matrix_bits
from gfvc.symbol_decisions.parts import CodeLength, Part
from models import FaceParameters, ParameterLayout
from models.contract import FloatArray, IntegerArray
from sei import FaceValues

DEFAULT_STEP_WEIGHT = 0.25
"""Distortion of an error of one step where a model does not say: much as those of `mesh`."""


def to_parts(
    parameters: Sequence[FaceParameters | None],
    layout: ParameterLayout,
    value_weights: FloatArray | None,
    end: FaceParameters | None = None,
) -> list[Part]:
    """The parts of an access unit; keypoints, if any, first.

    `parameters` begin with those of the key picture. None stands for a picture without a face:
    it stays as before. `value_weights` are those of `AnimationModel.value_weights`, None for
    `default_weights`. `end` is what a receiver knows of the picture after the last, if anything.
    """
    if value_weights is None:
        value_weights = default_weights(layout)
    held: list[FaceParameters] = []
    for row in parameters:
        held.append(held[-1] if row is None else row)
    rows = np.stack([layout.flatten(row) for row in held])
    known = None if end is None else layout.flatten(end)
    split = layout.coordinates
    parts = []
    if layout.keypoints:
        points, weights = np.ascontiguousarray(rows[:, :split]), value_weights[:split]
        after = None if known is None else known[:split]
        parts.append(_part(points, layout.coordinate_precision, weights, coordinate_bits, after))
    if layout.matrices:
        precision = layout.matrix_precision
        elements, weights = np.ascontiguousarray(rows[:, split:]), value_weights[split:]
        bits = partial(matrix_bits, precision=precision)
        after = None if known is None else known[split:]
        parts.append(_part(elements, precision, weights, bits, after))
    return parts


def default_weights(layout: ParameterLayout) -> FloatArray:
    """Weights [values] that count steps of a layout, for a model that does not say any."""
    weights: FloatArray = DEFAULT_STEP_WEIGHT * 4.0**layout.precisions
    return weights


def _part(
    values: FloatArray,
    precision: int,
    value_weights: FloatArray,
    code_length: CodeLength,
    after: FloatArray | None,
) -> Part:
    targets = values * 2.0**precision
    base = np.rint(targets[0]).astype(np.int64)
    end = None if after is None else after * 2.0**precision
    return Part(targets, base, value_weights * 4.0**-precision, code_length, end)


def of_parts(rows: Sequence[IntegerArray | None], layout: ParameterLayout) -> FaceValues:
    """What a message carries: a row of integers for each part, None for one that it leaves out."""
    remaining = list(rows)
    points = remaining.pop(0) if layout.keypoints else None
    elements = remaining.pop(0) if layout.matrices else None
    vector = np.zeros(layout.size, np.int64)
    if points is not None:
        vector[: layout.coordinates] = points
    if elements is not None:
        vector[layout.coordinates :] = elements
    return to_face_values(
        vector, layout, keypoints=points is not None, matrices=elements is not None
    )
