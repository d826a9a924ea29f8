"""The networks whose published weights can be imported: what their cards say before that.

The cards live here and not beside the networks, because a list of models must not wait for torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from models.card import ModelCard
from models.contract import MatrixShape, ParameterLayout

AFFINE = 0
HEAD_ROTATION = 4
HEAD_TRANSLATION = 5
COMPACT_FEATURE = 7

FINGERPRINT_DIGITS = 8
"""Digits of the hash of the weights that a URI carries."""

_WEIGHTS_URI = re.compile(
    rf"(?P<prefix>.+):(?P<variant>[a-z0-9_]+):(?P<weights>[0-9a-f]{{{FINGERPRINT_DIGITS}}})"
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network with published weights.

    `entries` are the entries of a checkpoint that are needed; `variants` name the published copies
    of the network, which compute different things with the same weights, the default first.
    `cards` has one card for each layout that the same weights can serve, without weights.
    """

    name: str
    entries: tuple[str, ...]
    variants: tuple[str, ...]
    cards: tuple[ModelCard, ...]

    def with_weights(
        self, name: str, variant: str, content_sha256: str, path: str, sha256: str
    ) -> tuple[ModelCard, ...]:
        """Cards of the architecture with weights, under the name that these were imported as."""
        return tuple(
            replace(
                card,
                name=name + card.name.removeprefix(self.name),
                uri=f"{card.uri}:{variant}:{content_sha256[:FINGERPRINT_DIGITS]}",
                data=path,
                sha256=sha256,
            )
            for card in self.cards
        )


def _network_card(
    name: str, description: str, layout: ParameterLayout, paper: str, limits: str
) -> ModelCard:
    return ModelCard(
        name=name,
        version="1",
        description=description,
        tag="tag:gfvc,2026:model",
        uri=f"gfvc:{name}:1",
        layout=layout,
        runtime="torch",
        licence="Apache-2.0 (code); the weights have the licence of who published them",
        paper=paper,
        training="Published weights, imported with gfvc models import; none come with gfvc.",
        limits=f"Pictures of 256x256 only. {limits}",
    )


_FOMM = Architecture(
    name="fomm",
    entries=("kp_detector", "generator"),
    variants=("jvet_v2", "jvet_v1", "official", "official_before_torch_1_3", "goluck"),
    cards=(
        _network_card(
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
    ),
)

_CFTE = Architecture(
    name="cfte",
    entries=("kp_detector", "generator"),
    variants=("jvet_v2", "jvet_v1", "goluck"),
    cards=(
        _network_card(
            "cfte",
            "one learned 4x4 feature map; a dense flow is drawn from its change",
            ParameterLayout(matrices=(MatrixShape(COMPACT_FEATURE, 1, 4, 4),), matrix_precision=2),
            "Chen et al., Beyond Keypoint Coding: Temporal Evolution Inference with Compact "
            "Feature Representation for Talking Face Video Compression, DCC 2022",
            "A second a picture on one processor core.",
        ),
    ),
)

_FV2V_PAPER = (
    "Wang, Mallya, Liu, One-Shot Free-View Neural Talking-Head Synthesis for Video Conferencing, "
    "CVPR 2021"
)
_FV2V = Architecture(
    name="fv2v",
    entries=("kp_detector", "he_estimator", "generator"),
    variants=("jvet_v2", "jvet_v1", "goluck"),
    cards=(
        _network_card(
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
        _network_card(
            "fv2v-keypoints",
            "the network of fv2v, sent as 15 three-dimensional keypoints",
            ParameterLayout(keypoints=15, dimensions=3, coordinate_precision=8),
            _FV2V_PAPER,
            "3 s a picture on one processor core, and 6 s more a key picture to encode.",
        ),
    ),
)

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {architecture.name: architecture for architecture in (_FOMM, _CFTE, _FV2V)}
)
"""All architectures by name."""


def import_hint(uri: str) -> str | None:
    """How to get the weights that a URI asks for; None for a URI of no architecture here."""
    match = _WEIGHTS_URI.fullmatch(uri)
    if match is None:
        return None
    for architecture in ARCHITECTURES.values():
        if any(card.uri == match["prefix"] for card in architecture.cards):
            return (
                f"it needs the {architecture.name} weights {match['weights']}: "
                f"gfvc models import {architecture.name} FILE --variant {match['variant']}"
            )
    return None
