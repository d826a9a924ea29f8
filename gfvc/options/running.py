"""How networks run: the options of every command that has some run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from gfvc.options.declaration import OptionGroup, documented, option, switch
from gfvc.options.kinds import Kind, words
from models.runtime import ENGINES, Runtime

_DEVICE = Kind(
    "one of auto, cpu, cuda, cuda:N",
    str,
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"auto|cpu|cuda(:\d+)?", value)),
    "auto|cpu|cuda[:N]",
)


@documented
@dataclass(frozen=True, kw_only=True)
class RuntimeOptions(OptionGroup):
    """How networks run."""

    title: ClassVar[str] = "networks"

    device: str = option(_DEVICE, "where networks run", "auto", shown="auto, a GPU if there is one")
    runtime: str = option(
        words(*ENGINES),
        "library that runs networks",
        "auto",
        shown="auto, the fastest that a model has",
    )
    bfloat16: bool = switch(
        "draw with fomm, cfte and fv2v in bfloat16: faster on some processors and GPUs, and a "
        "little less exact"
    )

    @property
    def as_runtime(self) -> Runtime:
        """What the models are asked for."""
        return Runtime(self.device, self.runtime, self.bfloat16)
