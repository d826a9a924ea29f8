"""How networks run: the options of every command that has some run."""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.options.declaration import OptionGroup, documented, option, switch
from gfvc.options.kinds import matching, words
from models.runtime import DEVICE_PATTERN, DEVICES, ENGINES, Runtime

_DEVICE = matching(DEVICE_PATTERN, f"one of {DEVICES}", "auto|cpu|cuda[:N]")


@documented
@dataclass(frozen=True, kw_only=True)
class RuntimeOptions(OptionGroup, title="networks"):
    """How networks run."""

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
