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
        "Trained at 256x256 on about 50 people, most of them filmed from the front. Teeth and tongue "
        "are guesses; glasses and earrings bend or blur; hands in front of the face are not drawn; "
        "heads turned far from the key picture, hair and collars smear; the background stands still."
    ),
    data="face/face.safetensors",
    sha256="e1e95b70e92dc043fce2fa3b829be754cda64854b10ce575594d287d81e58ea1",
    graphs=(
        ("encode_key.onnx", "a7ef178fddd6bad178bcc158003baa5c67454fb307248b8de033571381a21fb6"),
        ("draw.onnx", "d4d0a2c3909468cf1a78a4199848ca4c1fbf042ca8fac2b86c3e0e5d649e300a"),
        ("analyse.onnx", "be5e1ac31b2e67d705aadc2970dc6ae719a93444191e596e1db768cbb7c157ae"),
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
