"""The cards of the `face` model: one for each number of values of the compact feature."""

from __future__ import annotations

from dataclasses import replace

from models.card import ModelCard
from models.face import MAX_FEATURES
from models.landmarks.layout import face_layout
from models.mesh.card import CARD as MESH_CARD

STEP_LIMIT = 64.0
"""Values of the compact feature are -64..64 quantisation steps."""
CARD = ModelCard(
    name="face",
    version="1",
    description="parameters of mesh; a small network refines the warp and paints what it lacks",
    tag=MESH_CARD.tag,
    uri="gfvc:face:1",
    layout=face_layout(),
    engine="onnx",
    licence="Apache-2.0",
    paper="",
    training=(
        "2026-11-21, `gfvc train`, two runs of 3 hours together on two processor cores: pairs of "
        "pictures of one clip, 103 clips of 54 people, reconstruction and adversarial losses. "
        "docs/face.md has data and recipe, docs/measured/face.md the curves."
    ),
    limits=(
        "Trained at 256x256 on 54 people, most of them filmed from the front. Teeth and "
        "tongue are guesses; glasses and earrings bend or blur; hands in front of the face are "
        "not drawn; heads turned far from the key picture, hair and collars smear; the "
        "background stands still."
    ),
    data="face/face.safetensors",
    sha256="7ffaee9c9e87b948ea680efd9d2c311d91d265e1bf2e325e900742d9d775077d",
    graphs=(
        ("encode_key.onnx", "6aec31aefb48d9abfc5f2e0a00244556cd7258c18e94e86475cc2f90e747e9e8"),
        ("draw.onnx", "c516ec9fb2732bdab3c38c563be6f89f2bd861c9a3e251d0a2a46b2040641933"),
        ("analyse.onnx", "bf5354bae38c79bbb54a4b34f603f80a7e67dcf3e5fdb2bc8fe87dd551c6f432"),
    ),
)


def cards() -> tuple[ModelCard, ...]:
    """The cards of `face`: streams may carry 0 to 4 values of the compact feature."""
    return tuple(with_features(count) for count in range(MAX_FEATURES + 1))


def with_features(count: int) -> ModelCard:
    """The card of streams with `count` values 0..4 of the compact feature; 0 is `CARD` itself."""
    if not count:
        return CARD
    return replace(
        CARD,
        name=f"face+{count}",
        description=f"face with {count} measured values a picture for what landmarks do not say",
        uri=f"{CARD.uri}+{count}",
        layout=face_layout(count),
    )
