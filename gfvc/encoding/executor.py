"""Carries out what is decided about pictures; it has no opinion of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gfvc.encoding.face_units import FaceUnits
from gfvc.encoding.facts import MeasuredFacts
from gfvc.encoding.ordinary_video import SequenceCoder
from gfvc.encoding.planner import Decision, Driven, Key, Ordinary, Still
from gfvc.stream.writer import StreamWriter
from models import FaceParameters


@dataclass(slots=True)
class Tally:
    """Output pictures so far, by kind.

    `coded_pictures` are those of the base layer, of which decoding can start at `key_pictures`.
    `low_confidence_pictures` show no face, which stands still there; `fallback_pictures` are
    ordinary video; `pictures_from_earlier_keys` are driven by another key picture than the last.
    """

    frames: int = 0
    coded_pictures: int = 0
    key_pictures: int = 0
    low_confidence_pictures: int = 0
    fallback_pictures: int = 0
    pictures_from_earlier_keys: int = 0


class PlanExecutor:
    """Writes the stream of a clip, decision by decision. `pool` key pictures may be referred to."""

    def __init__(
        self,
        facts: MeasuredFacts,
        units: FaceUnits,
        sequences: SequenceCoder,
        writer: StreamWriter,
        pool: int = 1,
    ) -> None:
        self._facts = facts
        self._units = units
        self._sequences = sequences
        self._writer = writer
        self._keys: deque[int] = deque(maxlen=pool)  # the last one first
        self.tally = Tally()
        self.pictures_of_units: list[int] = []
        """Output pictures of each coded picture."""

    def carry_out(self, decision: Decision) -> None:
        """Code what is decided about a picture."""
        self.tally.frames += 1
        if isinstance(decision, Key):
            self._begin(decision)
        elif isinstance(decision, Driven):
            self._add(self._facts.parameters(decision.picture, decision.key), decision.key)
        elif isinstance(decision, Still):
            self.tally.low_confidence_pictures += 1
            self._add(None, decision.key)
        else:
            self._add_ordinary(decision)

    def finish(self) -> None:
        """Write what is held back, at the end of the clip."""
        self._finish_sequence()
        self._units.close()

    def _begin(self, decision: Key) -> None:
        self._finish_sequence()
        stream, parameters, weights = self._facts.coded_key(decision.picture)
        self._keys.appendleft(decision.picture)
        self.tally.coded_pictures += 1
        self.tally.key_pictures += 1
        self.pictures_of_units.append(1)
        self._units.begin(stream, parameters, weights)

    def _add(self, parameters: FaceParameters | None, key: int) -> None:
        back = self._keys.index(key)
        self.tally.pictures_from_earlier_keys += back > 0
        self.pictures_of_units[-1] += 1
        self._units.add(parameters, back)

    def _add_ordinary(self, decision: Ordinary) -> None:
        if decision.starts:
            self._finish_sequence()
        self.tally.coded_pictures += 1
        self.tally.fallback_pictures += 1
        self._sequences.add(self._facts.picture(decision.picture))

    def _finish_sequence(self) -> None:
        """Code and write the pictures of ordinary video that wait for it."""
        if not self._sequences.waiting:
            return
        stream, pictures = self._sequences.finish()
        self._units.close()
        self._writer.write_as_coded(stream)
        self.pictures_of_units += [1] * pictures
