"""A craft that takes no time: what becomes of a file is written in the file."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from gfvc.batch.jobs import Naming, Options
from gfvc.batch.work import Performed
from gfvc.output import replaced_when_complete

NAMING = Naming(frozenset({".txt"}), lambda source, options: ".out")


@dataclass(frozen=True)
class TextCraft:
    """Writes what a file says in capitals, and does what its first word says.

    "abort" ends the process as native code does, "abort-once" the first time; "slow" takes
    minutes and "short" a while; "kill-after" dies when the output has its name; "full" meets a full
    disk. `log` gets a line for each file that is worked on.
    """

    log: Path
    version: str = "1"
    verb: str = "shout"
    patience: ClassVar[float] = 300.0

    def versions(self, options: Options) -> dict[str, str]:
        return {"shout": self.version}

    def meaning(self, options: Options) -> dict[str, Any]:
        return {"options": [option for option in options if option != "idle"]}

    def product(self, output: Path) -> Path:
        return output

    def is_whole(self, output: Path) -> bool:
        return True

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        return self.shout(source.name, source.read_text() + "".join(options), output, force=force)

    def shout(self, name: str, text: str, output: Path, *, force: bool) -> Performed:
        with self.log.open("a") as log:
            log.write(f"{name} {os.getpid()}\n")
        word = text.split()[0]
        if word == "abort" or (word == "abort-once" and self.begun(name) == 1):
            os.abort()
        if word == "fail":
            return Performed(reason="it says fail")
        if word == "raise":
            raise ValueError("nobody foresaw this")
        if word in ("slow", "short"):
            time.sleep(self.patience if word == "slow" else 0.5)
        if word == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (2, resource.RLIM_INFINITY))
        try:
            with replaced_when_complete(output, force=force) as temporary:
                temporary.write_text(text.upper())
        except Exception as error:
            return Performed(reason=str(error))
        finally:
            soft = resource.RLIM_INFINITY
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, soft))
        if word == "kill-after" and self.begun(name) == 1:
            os.abort()
        return Performed({"frames": 50, "fps": 25, "kbps": 2.0}, ("a note",))

    def begun(self, name: str) -> int:
        """How often a file was worked on."""
        names = [line.split()[0] for line in self.log.read_text().splitlines()]
        return names.count(name)


class Words(tuple[str, ...]):
    """The plan of a text: its words, of which each is a part."""

    @property
    def parts(self) -> int:
        return len(self)


class WordCraft(TextCraft):
    """The same, word by word."""

    splits = True

    def versions(self, options: Options) -> dict[str, str]:
        return {"shout": self.version, "parts": "words"}

    def plan(self, source: Path, output: Path, options: Options) -> Performed:
        return Performed(Words(source.read_text().split()))

    def perform_part(self, source: Path, output: Path, plan: Any, part: int, to: Path) -> Performed:
        performed = self.shout(f"{source.name}/{part}", plan[part], to, force=True)
        return replace(performed, result={"length": len(plan[part])})

    def join(
        self,
        source: Path,
        output: Path,
        plan: Any,
        parts: Sequence[tuple[Path, dict[str, Any]]],
        *,
        force: bool,
    ) -> Performed:
        words = [path.read_text() for path, _ in parts]
        assert [len(word) for word in words] == [result["length"] for _, result in parts]
        with replaced_when_complete(output, force=force) as temporary:
            temporary.write_text(" ".join(words))
        return Performed({"frames": 50, "fps": 25, "kbps": 2.0})


class PatientWordCraft(WordCraft):
    """The same, but that no word takes long."""

    patience = 0.0
