"""Where clips are worked on: the options of every command that works on many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gfvc.options.declaration import OptionGroup, documented, option
from gfvc.options.kinds import either, matching, whole, words

EngineName = Literal["local", "dask"]

JOBS = either(words(auto=None), whole(1, 256, of="a whole number of clips"))
JOBS_HELP = "clips worked on at a time on this machine"

_SCHEDULER = matching(r"[a-z]+://\S+:\d+", "an address such as tcp://HOST:8786", "tcp://HOST:PORT")


@documented
@dataclass(frozen=True, kw_only=True)
class EngineOptions(OptionGroup, title="several clips at a time"):
    """What clips are worked on by."""

    jobs: int | None = option(JOBS, JOBS_HELP, 1)
    engine: EngineName = option(
        words("local", "dask"),
        "local: processes of this machine; dask: workers of a Dask cluster, which see the same "
        "files",
        "local",
    )
    scheduler: str | None = option(_SCHEDULER, "the cluster's scheduler, with --engine dask")

    def conflict(self) -> str | None:
        """A cluster has a scheduler."""
        if self.engine == "dask" and not self.scheduler:
            return "{engine} dask needs {scheduler} tcp://HOST:PORT"
        if self.engine != "dask" and self.scheduler:
            return "{scheduler} is for {engine} dask; give both"
        return None
