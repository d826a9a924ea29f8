"""From the finest to the coarsest settings, each with a fair split of the bits.

A step is a quantisation parameter of key pictures and the Lagrangian multiplier of the face
parameters that goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from base_codec_adapters import Codec
from gfvc.options.encoding import (
    DEFAULT_KEY_QP,
    DEFAULT_MULTIPLIER,
    BitOptions,
    Quality,
)

_KEY_QPS = range(2, 51)
# The multiplier doubles for so many steps of the quantisation parameter: the pairs that
# benchmarks/rate_split.py finds worth their rate (docs/measured/decisions.md).
_QP_STEPS_PER_DOUBLING = 4.0
_KEY_QP_OF_QUALITY: dict[Quality, int] = {"low": 40, "medium": 32, "high": 26}


@dataclass(frozen=True, slots=True)
class RateSettings:
    """What decides how many bits a clip takes.

    `key_qp` is the quantisation parameter of key pictures, 0..63 for VVC and 0..51 for HEVC;
    `symbol_price` the Lagrangian multiplier: the distortion that a bit of the face parameters may
    cost.
    """

    key_qp: int
    symbol_price: float


def ladder(codec: Codec) -> tuple[RateSettings, ...]:
    """Settings in the order of falling rate; those of the encoder's defaults are among them."""
    return tuple(_step(codec, qp) for qp in _KEY_QPS)


def default_step(codec: Codec) -> int:
    """Index in the ladder of the encoder's defaults."""
    return _KEY_QPS.index(DEFAULT_KEY_QP)


def quality_settings(quality: Quality, codec: Codec) -> RateSettings:
    """The step of the ladder that a preset means."""
    return _step(codec, _KEY_QP_OF_QUALITY[quality])


def settings_asked_for(options: BitOptions, codec: Codec) -> RateSettings:
    """The settings of options that have none searched."""
    if options.quality is not None:
        return quality_settings(options.quality, codec)
    return RateSettings(
        DEFAULT_KEY_QP if options.key_qp is None else options.key_qp,
        DEFAULT_MULTIPLIER if options.symbol_price is None else options.symbol_price,
    )


def _step(codec: Codec, key_qp: int) -> RateSettings:
    doublings = (key_qp - DEFAULT_KEY_QP) / _QP_STEPS_PER_DOUBLING
    return RateSettings(key_qp, DEFAULT_MULTIPLIER * 2.0**doublings)
