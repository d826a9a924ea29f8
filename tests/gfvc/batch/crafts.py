"""A craft that takes no time: what becomes of a file is written in the file."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from gfvc.batch.jobs import Naming, Options
from gfvc.batch.work import Performed
from gfvc.output import replaced_when_complete

NAMING = Naming(frozenset({".txt"}), lambda source, options: ".out")


@dataclass(frozen=True, slots=True)
class TextCraft:
    """Writes what a file says in capitals, and does what its first word says.

    "abort" ends the process as native code does, "abort-once" the first time; "slow" takes
    minutes and "short" a while; "kill-after" dies when the output has its name; "full" meets a full
    disk. `log` gets a line for each file that is worked on.
    """

    log: Path
    version: str = "1"
    verb: str = "shout"

    def versions(self, options: Options) -> dict[str, str]:
        return {"shout": self.version}

    def product(self, output: Path) -> Path:
        return output

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        with self.log.open("a") as log:
            log.write(f"{source.name} {os.getpid()}\n")
        text = source.read_text()
        word = text.split()[0]
        if word == "abort" or (word == "abort-once" and self.begun(source) == 1):
            os.abort()
        if word == "fail":
            return Performed(reason="it says fail")
        if word == "raise":
            raise ValueError("nobody foresaw this")
        if word in ("slow", "short"):
            time.sleep(300 if word == "slow" else 0.5)
        if word == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (5, resource.RLIM_INFINITY))
        try:
            with replaced_when_complete(output, force=force) as temporary:
                temporary.write_text(text.upper() + "".join(options))
        except Exception as error:
            return Performed(reason=str(error))
        finally:
            soft = resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, soft))
        if word == "kill-after" and self.begun(source) == 1:
            os.abort()
        return Performed({"frames": 50, "fps": 25, "kbps": 2.0}, ("a note",))

    def begun(self, source: Path) -> int:
        """How often a file was worked on."""
        names = [line.split()[0] for line in self.log.read_text().splitlines()]
        return names.count(source.name)
