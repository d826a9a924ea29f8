"""What a pass over a clip is, whichever way its pictures are coded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Protocol

from gfvc.encoding.executor import Tally
from gfvc.encoding.planner import Decision, Facts, PicturePlanner, PlanSettings
from models.contract import Closable, Picture


class KeptFacts(Facts, Protocol):
    """Facts about pictures that are added one by one, and forgotten."""

    def add(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [size, size, 3]."""

    def keep(self, pictures: Collection[int], keys: Collection[int]) -> None:
        """Forget what was found in all but these pictures and these key pictures."""


class Executor(Protocol):
    """Carries decisions out.

    `tally` are the output pictures so far, `pictures_of_units` those of each coded picture.
    """

    tally: Tally
    pictures_of_units: list[int]

    def carry_out(self, decision: Decision) -> None:
        """Do what is decided about a picture, now or later."""

    def finish(self) -> None:
        """Code what is held back, at the end of the clip."""


class Pass(Closable, ABC):
    """Takes the pictures of a clip in order, and writes a stream. Use as a context.

    Raises `GfvcError`, `ModelError` or `BaseCodecError` when a picture cannot be coded.
    """

    def __init__(self, settings: PlanSettings, facts: KeptFacts, executor: Executor) -> None:
        self._facts = facts
        self._executor = executor
        self._planner = PicturePlanner(settings, facts)

    @property
    def tally(self) -> Tally:
        """Output pictures so far."""
        return self._executor.tally

    @property
    def pictures_of_units(self) -> list[int]:
        """Output pictures of each coded picture."""
        return self._executor.pictures_of_units

    @property
    @abstractmethod
    def lost_keys(self) -> int:
        """Key pictures whose coded form showed no face."""

    @property
    @abstractmethod
    def base_codec_seconds(self) -> float:
        """Time spent in programs of the base codec."""

    def take(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [size, size, 3]."""
        self._facts.add(number, picture)
        for decision in self._planner.take(number):
            self._executor.carry_out(decision)
        self._facts.keep(self._planner.held, self._planner.keys)

    def finish(self) -> None:
        """Code what is held back, at the end of the clip."""
        for decision in self._planner.finish():
            self._executor.carry_out(decision)
        self._executor.finish()
