"""Cards of the published networks, one for each layout that the same weights can serve.

They are without weights until some are imported, and need no torch.
"""

from __future__ import annotations

from models.card import ModelCard
from models.contract import (
    AFFINE,
    COMPACT_FEATURE,
    HEAD_ROTATION,
    HEAD_TRANSLATION,
    MatrixShape,
    ParameterLayout,
)


def _card(
    name: str, description: str, layout: ParameterLayout, paper: str, limits: str
) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=description,
        uri=f"gfvc:{name}:1",
        layout=layout,
        engine="torch",
        licence="Apache-2.0 (code); the weights have the licence of who published them",
        paper=paper,
        training="Published weights, imported with gfvc models import; none come with gfvc.",
        limits=f"Pictures of 256x256 only. {limits}",
    )


def fomm() -> tuple[ModelCard, ...]:
    """The cards of FOMM."""
    return (
        _card(
            "fomm",
            "10 keypoints with Jacobians; the key picture's features are warped and completed",
            ParameterLayout(
                keypoints=10,
                dimensions=2,
                matrices=(MatrixShape(AFFINE, 10, 2, 2),),
                coordinate_precision=6,
                matrix_precision=6,
            ),
            "Siarohin et al., First Order Motion Model for Image Animation, NeurIPS 2019",
            "A second a picture on one processor core.",
        ),
    )


def cfte() -> tuple[ModelCard, ...]:
    """The cards of CFTE."""
    return (
        _card(
            "cfte",
            "one learned 4x4 feature map; a dense flow is drawn from its change",
            ParameterLayout(matrices=(MatrixShape(COMPACT_FEATURE, 1, 4, 4),), matrix_precision=2),
            "Chen et al., Beyond Keypoint Coding: Temporal Evolution Inference with Compact "
            "Feature Representation for Talking Face Video Compression, DCC 2022",
            "A second a picture on one processor core.",
        ),
    )


_FV2V_PAPER = (
    "Wang, Mallya, Liu, One-Shot Free-View Neural Talking-Head Synthesis for Video Conferencing, "
    "CVPR 2021"
)


def fv2v() -> tuple[ModelCard, ...]:
    """The cards of FV2V."""
    return (
        _card(
            "fv2v",
            "head rotation and translation with a learned expression; features warped in 3-D",
            ParameterLayout(
                matrices=(
                    MatrixShape(HEAD_ROTATION, 1, 3, 3),
                    MatrixShape(HEAD_TRANSLATION, 1, 3, 1),
                    MatrixShape(COMPACT_FEATURE, 1, 15, 3),
                ),
                matrix_precision=8,
            ),
            _FV2V_PAPER,
            "3 s a picture and 6 s more a key picture on one processor core.",
        ),
        _card(
            "fv2v-keypoints",
            "the network of fv2v, sent as 15 three-dimensional keypoints",
            ParameterLayout(keypoints=15, dimensions=3, coordinate_precision=8),
            _FV2V_PAPER,
            "3 s a picture on one processor core, and 6 s more a key picture to encode.",
        ),
    )
