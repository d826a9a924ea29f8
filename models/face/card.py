"""The cards of the `face` model: one for each number of values of the compact feature."""

from __future__ import annotations

from dataclasses import replace

from models.card import ModelCard
from models.contract import MatrixShape, ParameterLayout
from models.mesh.card import CARD as MESH_CARD
from models.mesh.card import COMPACT_FEATURE, EXPRESSION_VALUES, POSE_VALUES

STEP_LIMIT = 64.0
"""Values of the compact feature are -64..64 quantisation steps."""
CARD = ModelCard(
    name="face",
    version="1",
    description="parameters of mesh; a small network refines the warp and paints what it lacks",
    tag=MESH_CARD.tag,
    uri="gfvc:face:1",
    layout=MESH_CARD.layout,
    runtime="onnx",
    licence="Apache-2.0",
    paper="",
    training=(
        "`gfvc train` on pairs of pictures of one clip, reconstruction and adversarial losses; "
        "docs/face.md has data, recipe, hours and curves."
    ),
    limits=(
        "Trained at 256x256 on about 50 people, most of them filmed from the front. Teeth and "
        "tongue are guesses; glasses and earrings bend or blur; hands in front of the face are "
        "not drawn; heads turned far from the key picture, hair and collars smear; the "
        "background stands still."
    ),
    data="face/face.safetensors",
    sha256="4daf1590f489c783e5488bd8137dc304ea36dff667999f08812b79d358821990",
    graphs=(
        ("encode_key.onnx", "b83416cfbe8be5e0bb5dca8d031c20b93b9f9d863b643008b0f954f29ac328f1"),
        ("draw.onnx", "e4e66725da878b7167d3d2f206d97c17f75a0d8a62fc70b009515532506ecf4d"),
        ("analyse.onnx", "48566503b5517e5b5a45d71429b6dd0f7a65f8031c678548c5d314288d1b346d"),
    ),
)


def with_features(count: int) -> ModelCard:
    """The card of streams with `count` values 0..4 of the compact feature; 0 is `CARD` itself."""
    if not count:
        return CARD
    width = POSE_VALUES + EXPRESSION_VALUES + count
    matrix = MatrixShape(COMPACT_FEATURE, 1, 1, width)
    return replace(
        CARD,
        name=f"face+{count}",
        description=f"face with {count} measured values a picture for what landmarks do not say",
        uri=f"{CARD.uri}+{count}",
        layout=ParameterLayout(
            matrices=(matrix,), matrix_precision=MESH_CARD.layout.matrix_precision
        ),
    )
