"""How to encode."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction

from base_codec_adapters import DEFAULT_TIMEOUT, Codec
from gfvc.base_layer import DEFAULT_QP
from gfvc.fallback import FALLBACK_POLICIES, FallbackPolicy
from gfvc.key_decisions import KEY_PICTURE_POLICIES, KeyPicturePolicy
from gfvc.rate_control import QUALITIES, Quality, RateSettings, quality_settings
from gfvc.reference_runs import MAX_POOL
from gfvc.symbol_decisions import DECISIONS, DEFAULT_PRICE
from gfvc.symbol_rate import AUTOMATIC_RATE, FULL, SymbolRate, is_symbol_rate
from gfvc.video_reader import MAX_RATE, MIN_RATE
from models import Runtime

# Sides of the coded picture.
SIZES = range(64, 2048 + 1, 8)
# Bits per second.
MIN_BITRATE, MAX_BITRATE = 100.0, 1e8


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How to encode; None stands for a default that depends on the input or output.

    `codec` "vvc" or "hevc" (by the output's suffix); `base_encoder` a name from
    `base_codec_adapters.available()` or "auto"; `model` a registered name; `features` values of its
    compact feature beside the landmarks; `align` whether tracked faces are corrected by what the
    bent key picture shows, None as the model likes; `key_qp` 0..63 (VVC) or 0..51 (HEVC);
    `key_interval` pictures from key picture to key picture at most; `key_pictures` "auto" for more
    where they pay and at scene cuts, or "fixed"; `reference_pool` 1..8 key pictures, of which the
    one that suits a picture best drives it (1 with `low_delay`); `crop` "auto" or "none"; `size`
    side of the coded picture, a multiple of 8 in 64..2048; `rate` pictures per second, 1..240;
    `low_delay` a NAL unit for each picture's messages, about which nothing is decided then;
    `symbol_rate` messages a second, "full" for one a picture, or "auto" where they pay;
    `symbol_price` the distortion that a bit of the face parameters may cost; `bitrate` the bits per
    second, 100..10**8, that the output without its sound shall take, or `quality` a preset, both in
    place of `key_qp` and `symbol_price`; `without` the decisions of `DECISIONS` that are left out;
    `audio` "none", or "copy" the source's sound into an MP4 output; `fallback` "auto" for ordinary
    video where there is no face, "never", or "always" for all of the clip; `fallback_qp` its
    quantisation parameter (by default that of key pictures); `timeout` seconds that a base codec
    program may take for a key picture, or for 25 pictures of ordinary video; `runtime` says how
    networks run. Raises `ValueError` for any other value.
    """

    codec: Codec | None = None
    base_encoder: str = "auto"
    model: str | None = None
    features: int = 0
    align: bool | None = None
    key_qp: int | None = None
    key_interval: int | None = None
    key_pictures: KeyPicturePolicy = "fixed"
    reference_pool: int = 1
    crop: str = "auto"
    size: int = 256
    rate: Fraction | None = None
    low_delay: bool = False
    symbol_rate: SymbolRate = AUTOMATIC_RATE
    symbol_price: float | None = None
    bitrate: float | None = None
    quality: Quality | None = None
    without: Collection[str] = ()
    audio: str = "none"
    fallback: FallbackPolicy = "auto"
    fallback_qp: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    runtime: Runtime = field(default_factory=Runtime)

    def __post_init__(self) -> None:
        allowed: dict[str, bool] = {
            "codec": self.codec in (None, "vvc", "hevc"),
            "key_interval": self.key_interval is None or self.key_interval >= 1,
            "key_pictures": self.key_pictures in KEY_PICTURE_POLICIES,
            "reference_pool": 1 <= self.reference_pool <= (1 if self.low_delay else MAX_POOL),
            "crop": self.crop in ("auto", "none"),
            "features": self.features >= 0,
            "align": self.align in (None, True, False),
            "size": self.size in SIZES,
            "rate": self.rate is None or MIN_RATE <= self.rate <= MAX_RATE,
            "symbol_rate": is_symbol_rate(self.symbol_rate),
            "symbol_price": self.symbol_price is None or 0 < self.symbol_price < math.inf,
            "bitrate": self.bitrate is None or MIN_BITRATE <= self.bitrate <= MAX_BITRATE,
            "quality": self.quality is None or self.quality in QUALITIES,
            "without": not isinstance(self.without, str) and set(self.without) <= set(DECISIONS),
            "low_delay": not self.low_delay or self.symbol_rate in (AUTOMATIC_RATE, FULL),
            "audio": self.audio in ("none", "copy"),
            "fallback": self.fallback in FALLBACK_POLICIES,
            "timeout": self.timeout > 0,
        }
        for name, good in allowed.items():
            if not good:
                raise ValueError(f"{name} cannot be {getattr(self, name)!r}")
        own = self.key_qp is not None or self.symbol_price is not None
        if own + (self.bitrate is not None) + (self.quality is not None) > 1:
            raise ValueError("bitrate, quality, and key_qp with symbol_price exclude each other")

    def rate_settings(self, codec: Codec) -> RateSettings:
        """The settings asked for, where no `bitrate` has them searched."""
        if self.quality is not None:
            return quality_settings(self.quality, codec)
        return RateSettings(
            DEFAULT_QP[codec] if self.key_qp is None else self.key_qp,
            DEFAULT_PRICE if self.symbol_price is None else self.symbol_price,
        )
