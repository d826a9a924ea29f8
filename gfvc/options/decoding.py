"""How to decode: the options of `gfvc.decode`, and those that all share who decode a base layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from base_codec_adapters import DEFAULT_TIMEOUT
from gfvc.limits import MAX_AREA, MAX_OUTPUT, MAX_SIDE
from gfvc.options.declaration import documented, option, switch
from gfvc.options.encoding import PICTURE_RATE
from gfvc.options.kinds import file_size, real, whole, words
from gfvc.options.picture_limit import PictureLimit
from models import Runtime


@documented
@dataclass(frozen=True, kw_only=True)
class BaseLayerOptions(PictureLimit, title="reading IN"):
    """How a stream is read and its coded pictures are decoded; `runtime` says how networks run."""

    codec: str | None = option(
        words("vvc", "hevc"),
        "codec of IN, where its parameter sets do not tell",
        shown="what IN's parameter sets say",
    )
    rate: Fraction | None = option(
        PICTURE_RATE,
        "pictures per second, 25 or 30000/1001",
        flag="fps",
        shown="what IN states, else 25",
    )
    timeout: float = option(
        real(0.0, 1e6, "a number of seconds"),
        "seconds that the base decoder may take for the coded pictures that it decodes at a time",
        DEFAULT_TIMEOUT,
    )
    max_area: int = option(
        whole(1, MAX_SIDE**2, of="a whole number of samples"),
        "the most luma samples, width times height, that a picture of IN may have, coded or shown",
        MAX_AREA,
    )
    ignore_restrictions: bool = switch(
        "use the faces although IN says that its content must not be used so by artificial "
        "intelligence; see docs/marking.md"
    )
    runtime: Runtime = field(default_factory=Runtime)


@documented
@dataclass(frozen=True, kw_only=True)
class DecodeOptions(BaseLayerOptions, title="decoding"):
    """How to decode; `runtime` says how networks run."""

    audio: str | None = option(
        words("none", "copy", "aac"),
        "IN's sound in an .mp4 OUT. copy: as it is; aac: coded anew as AAC; none: left out",
        shown="copy where IN has sound and OUT can hold it",
    )
    max_size: int = option(
        file_size(),
        "the most bytes that OUT may take, such as 500M or 20G; k, M, G and T are powers of 1024",
        MAX_OUTPUT,
        shown="20G",
    )
