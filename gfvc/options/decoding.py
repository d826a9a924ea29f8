"""How to decode: the options of `gfvc.decode` and `gfvc decode`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar

from base_codec_adapters import DEFAULT_TIMEOUT
from gfvc.options.declaration import OptionGroup, documented, option
from gfvc.options.encoding import PICTURE_RATE
from gfvc.options.kinds import real, words
from models import Runtime


@documented
@dataclass(frozen=True, kw_only=True)
class DecodeOptions(OptionGroup):
    """How to decode; `runtime` says how networks run.

    Raises `ValueError` for a value that an option cannot have.
    """

    title: ClassVar[str] = "decoding"

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
        real(0.0, 1e6, "a number of seconds above 0"),
        "seconds that the base decoder may take for the coded pictures that it decodes at a time",
        DEFAULT_TIMEOUT,
    )
    runtime: Runtime = field(default_factory=Runtime)
