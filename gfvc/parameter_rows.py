"""Face parameters as rows of numbers: into any layout of as many, and those of pictures between.

The order is that of the bitstream: keypoints by their axes, then matrices by type, matrix, row and
column. Numbers are float64, which holds every parameter exactly: larger ones are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gfvc.errors import StreamError
from gfvc.parameter_coding import rows_of, to_face_values
from models import MatrixShape, ParameterLayout
from models.contract import FloatArray
from sei import FaceValues

_EXACT = 2**53


def layout_of(values: FaceValues) -> ParameterLayout:
    """Layout of received parameters; raise `StreamError` when there are none, or too many."""
    points = values.keypoints or ()
    try:
        matrices = tuple(
            MatrixShape(m.type_idx or 0, len(m.matrices), len(m.matrices[0]), len(m.matrices[0][0]))
            for m in values.matrices
        )
    except ValueError as error:
        raise StreamError(f"matrices that no layout here has: {error}") from None
    if not points and not matrices:
        raise StreamError("a message carries no face parameters")
    coordinate = values.keypoint_precision_factor or 1
    matrix = values.matrices[0].precision_factor if matrices else coordinate
    return ParameterLayout(
        keypoints=len(points),
        dimensions=len(points[0]) if points else 2,
        matrices=matrices,
        coordinate_precision=coordinate if points else matrix,
        matrix_precision=matrix,
    )


def same_shape(first: ParameterLayout, second: ParameterLayout) -> bool:
    """Whether two layouts differ in nothing but their precisions."""
    return _shape(first) == _shape(second)


def _shape(layout: ParameterLayout) -> object:
    return layout.keypoints and (layout.keypoints, layout.dimensions), layout.matrices


def with_precision(layout: ParameterLayout, precision: int) -> ParameterLayout:
    """The layout with one precision for everything in it."""
    return replace(layout, coordinate_precision=precision, matrix_precision=precision)


def finest_precision(layout: ParameterLayout) -> int:
    """The precision that holds all parameters of a layout exactly."""
    used = [layout.coordinate_precision] if layout.keypoints else []
    return max(used + ([layout.matrix_precision] if layout.matrices else []))


def to_numbers(values: FaceValues) -> FloatArray:
    """Parameters [n]; raise `StreamError` when one is too large to be held exactly."""
    rows = list(rows_of(values))
    if any(abs(integer) >= _EXACT for _, row in rows for integer in row):
        raise StreamError("a face parameter is too large to be translated exactly")
    return np.concatenate([np.array(row, np.float64) * 2.0**-p for p, row in rows])


def from_numbers(numbers: FloatArray, layout: ParameterLayout) -> FaceValues:
    """Parameters of a layout, rounded to its steps.

    Raises `StreamError` when there are more or fewer numbers than it holds, or some that no
    message can carry.
    """
    if len(numbers) != layout.size:
        raise StreamError(f"{len(numbers)} numbers a picture do not fit a layout of {layout.size}")
    scaled = np.rint(numbers * 2.0**layout.precisions)
    wrong = ~(np.abs(scaled) < _EXACT)
    if wrong.any():
        precision = layout.precisions[wrong][0]
        raise StreamError(f"a parameter is too large for steps of 2^-{precision}")
    return to_face_values(scaled.astype(np.int64), layout)


def repacked(values: FaceValues, layout: ParameterLayout) -> FaceValues:
    """The same numbers in the containers of another layout, exactly, whatever its precisions."""
    precision = finest_precision(layout_of(values))
    return from_numbers(to_numbers(values), with_precision(layout, precision))


def interpolated(values: FloatArray, sent: Sequence[int], pictures: int) -> FloatArray:
    """Values [pictures, n] of all pictures from those [messages, n] of the pictures `sent`.

    `sent` are numbers of pictures, rising from 0, the key picture; all less than `pictures`. With
    x(s) and x(t) the values of two successive messages, of pictures s < t, a picture j between them
    has x(s) + (x(t) - x(s)) (j - s) / (t - s), in float64. After the last message values stay.

    >>> interpolated(np.array([[0.0], [4.0]]), [0, 2], 4).ravel().tolist()
    [0.0, 2.0, 4.0, 4.0]
    """
    places = np.asarray(sent, np.int64)
    picture = np.arange(pictures)
    before = np.searchsorted(places, picture, side="right") - 1
    after = np.minimum(before + 1, len(places) - 1)
    gap = np.maximum(places[after] - places[before], 1)
    share = ((picture - places[before]) / gap)[:, None]
    result: FloatArray = values[before] + (values[after] - values[before]) * share
    return result
