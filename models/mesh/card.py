"""The card of the `mesh` model."""

from __future__ import annotations

from models.card import ModelCard
from models.contract import MatrixShape, ParameterLayout

POSE_VALUES = 6
EXPRESSION_VALUES = 8
COMPACT_FEATURE = 7

CARD = ModelCard(
    name="mesh",
    version="1",
    description="478 tracked landmarks as pose and expression; the key picture is warped",
    tag="tag:gfvc,2026:model",
    uri="gfvc:mesh:1",
    layout=ParameterLayout(
        matrices=(MatrixShape(COMPACT_FEATURE, 1, 1, POSE_VALUES + EXPRESSION_VALUES),),
        matrix_precision=8,
    ),
    runtime="none",
    licence="Apache-2.0",
    paper="",
    training=(
        "No network. Learned 2026-11-21: the expression basis is a principal component analysis "
        "of landmarks of 103 talking-head clips of about 60 people, by `python -m "
        "models.mesh.fit`; no picture is kept."
    ),
    limits=(
        "Moves pixels and makes none: teeth, tongue, turned cheeks and uncovered background are "
        "smeared or missing; glasses and hands bend with the face; the shoulders follow the head."
    ),
    data="mesh.safetensors",
    sha256="5fb7dc41046d80b4e2fbba82506fbf3a66f5ab5b6183708576eb58c880d550a8",
)
