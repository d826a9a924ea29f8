"""How a face is laid out in a stream: 14 values, and those that a model adds.

Cards need this; nothing here loads OpenCV or MediaPipe.
"""

from __future__ import annotations

from models.contract import COMPACT_FEATURE, MatrixShape, ParameterLayout

POSE_VALUES = 6
EXPRESSION_VALUES = 8
FACE_VALUES = POSE_VALUES + EXPRESSION_VALUES
PRECISION = 8

FACE_SPACE = "mesh.safetensors"
FACE_SPACE_SHA256 = "5fb7dc41046d80b4e2fbba82506fbf3a66f5ab5b6183708576eb58c880d550a8"
"""File of the face space beneath `models/data`, and its hash."""


def face_layout(further: int = 0) -> ParameterLayout:
    """One compact feature: pose and expression, then `further` values of a model's own."""
    matrix = MatrixShape(COMPACT_FEATURE, 1, 1, FACE_VALUES + further)
    return ParameterLayout(matrices=(matrix,), matrix_precision=PRECISION)


def further_values(layout: ParameterLayout) -> int | None:
    """Values beyond pose and expression of such a layout; None for one of another kind."""
    further = layout.size - FACE_VALUES
    return further if further >= 0 and layout == face_layout(further) else None
