"""The cards of the `face` model: of its network, and of the first one with its compact feature."""

from __future__ import annotations

from dataclasses import replace

from models.card import ModelCard
from models.face import MAX_FEATURES
from models.landmarks.layout import face_layout

STEP_LIMIT = 64.0
"""Values of the compact feature are -64..64 quantisation steps."""
CARD = ModelCard(
    name="face",
    version="2",
    description=(
        "parameters of mesh; a small network bends one or two references and paints what they lack"
    ),
    uri="gfvc:face:2",
    layout=face_layout(),
    engine="onnx",
    training=(
        "2026-11-26, `python -m tools.face_training`, 9 minutes on one data centre GPU from the "
        "weights of face-1: pictures between two coded ones, or from one, 131 clips of 81 people, "
        "reconstruction, perceptual, adversarial and temporal losses. docs/face.md has data and "
        "recipe, docs/measured/face.md the curves."
    ),
    limits=(
        "Trained at 256x256 on 81 people, most of them filmed from the front. Teeth and "
        "tongue that no reference shows are guesses; glasses and earrings bend or blur; hands in "
        "front of the face are not drawn; heads turned far from the references, hair and collars "
        "smear."
    ),
    data="face2/face.safetensors",
    sha256="fb638f69835b83bad7340681f90474111b0e5495a39971b596672de579f57abd",
    graphs=(
        ("encode_key.onnx", "c62a404580fd657cc0f23d42e8270cca996e6df4c1dae7a2a0fd72d9071e9547"),
        ("draw.onnx", "dd00aeb2cb3a30ad03c558a856678f2dbb374dc279d113f83c130d76107b85cc"),
        ("locate_between.onnx", "8f1ca36436fc0a150b48a62dd3a8b5803ea879606175b366d711ff58b63f4f2e"),
        ("paint_between.onnx", "4e1dca9805e38cb97151222cbc2031acd2b63530ae9650956e3b75a8fb4cdb82"),
    ),
)

FIRST_CARD = ModelCard(
    name="face-1",
    version="1",
    description="the first network of face, which draws from one reference; older streams want it",
    uri="gfvc:face:1",
    layout=face_layout(),
    engine="onnx",
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
        ("draw.onnx", "276503c8ea3de8728921cb3378cc4f55e7d14af5de99f83094a51b185e88b0eb"),
        ("analyse.onnx", "bf5354bae38c79bbb54a4b34f603f80a7e67dcf3e5fdb2bc8fe87dd551c6f432"),
    ),
)


def cards() -> tuple[ModelCard, ...]:
    """The cards of `face`: the network of today, and the first one.

    Streams of the first may carry 0 to 4 values of the compact feature.
    """
    return (CARD, *(with_features(count) for count in range(MAX_FEATURES + 1)))


def with_features(count: int) -> ModelCard:
    """The card of streams with `count` values 0..4 of the compact feature; of 0, `FIRST_CARD`."""
    if not count:
        return FIRST_CARD
    return replace(
        FIRST_CARD,
        name=f"{FIRST_CARD.name}+{count}",
        description=f"with {count} measured values a picture for what landmarks do not say",
        uri=f"{FIRST_CARD.uri}+{count}",
        layout=face_layout(count),
    )
