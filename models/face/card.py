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
        "Trained at 256x256 on 54 people, most of them filmed from the front. Teeth and "
        "tongue are guesses; glasses and earrings bend or blur; hands in front of the face are "
        "not drawn; heads turned far from the key picture, hair and collars smear; the "
        "background stands still."
    ),
    data="face/face.safetensors",
    sha256="5b4027c7ae6499f9ae186fa10f3d23c26707a246aebbcf16a79ab5dcd7f22252",
    graphs=(
        ("encode_key.onnx", "739aa977f1bc96e017550b7af80fa00b36e5c1d980ecb39e6f8168156a26255e"),
        ("draw.onnx", "27454a52b81852a561a6b17ab2f621d08e680faa5e1b7bf7018cc926bda01ddd"),
        ("analyse.onnx", "37e9242a298d35c8a96dff7b1b664b204709e6a2aab42112380f59255e8ea1f8"),
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
