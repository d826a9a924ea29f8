"""How many clips are worked on: the options of `gfvc batch`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gfvc.options.declaration import documented, option
from gfvc.options.kinds import Kind, either, matching, real, whole, words
from gfvc.options.sharing import JOBS, JOBS_HELP, EngineOptions
from gfvc.options.values import items

VERBS = ("encode", "decode", "transcode", "verify", "inspect", "bench")

AUTOMATIC_PART = 60.0
"""Seconds of a part."""

_MOST_PARTS = 1_000_000
_NUMBER = whole(1, _MOST_PARTS)

_SUFFIX = matching(r"\.[^/]+", "a suffix such as .mp4", "SUFFIX")


def _read_part(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("/"))


def _is_part(value: Any) -> bool:
    numbers = items(value) or ()
    if len(numbers) != 2 or not all(map(_NUMBER.accepts, numbers)):
        return False
    part, parts = numbers
    return bool(part <= parts)


def _as_part(value: Any) -> tuple[Any, ...]:
    return tuple(map(_NUMBER.convert, value))


@documented
@dataclass(frozen=True, kw_only=True)
class BatchOptions(EngineOptions, title="what is done"):
    """What is done to each clip, and which are taken."""

    jobs: int | None = option(JOBS, JOBS_HELP, shown="auto, as cores and memory allow")
    do: str = option(
        words(*VERBS),
        "what to do with each; verify and inspect write JSON lines, bench a folder for each clip",
        "encode",
    )
    suffix: str | None = option(
        _SUFFIX, "suffix of outputs", shown=".266 or .265 of encode, .mp4 of decode"
    )
    split: float | None = option(
        either(words(auto=AUTOMATIC_PART), real(0, 1e6, "a number of seconds")),
        "of encode only: code clips in parts of about so many seconds, side by side, and join "
        f"them; auto: {AUTOMATIC_PART:g}",
        shown="clips are coded as they are",
    )
    part: tuple[int, int] | None = option(
        Kind(
            f"a part K/N of up to {_MOST_PARTS}, such as 3/100",
            _read_part,
            _is_part,
            "K/N",
            convert=_as_part,
        ),
        "do only part K of N, for the machines of an array; tables are of that part",
    )
    retries: int = option(whole(0, 100), "how often to try a clip again whose process crashed", 1)

    def conflict(self) -> str | None:
        """Videos are split, streams are not."""
        if self.split is not None and self.do != "encode":
            return f"{{split}} is about encode; {self.do} takes clips as they are"
        return None
