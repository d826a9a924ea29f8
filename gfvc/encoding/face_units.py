"""Access units as they come about: a coded key picture, then the faces of the pictures it drives.

`ImmediateUnits` writes each message as soon as it is known. `DecidedUnits` collects the faces of
an access unit, decides what to send of them, and writes the access unit when it is complete.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from gfvc.parameter_coding import ParameterCoder
from gfvc.stream.references import NUMBERS, ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions.access_unit import DecidedUnit, decide_unit
from gfvc.symbol_decisions.decision import FULL_RATE, SymbolSettings
from gfvc.symbol_decisions.face_parts import of_parts
from models import FaceParameters, ModelCard, ParameterLayout
from models.contract import FloatArray
from sei import SeiMessage

MAX_BUFFERED = 7200
"""Greatest number of pictures that are held back: 30 s at the highest rate."""


class FaceUnits(ABC):
    """Takes the pictures of a clip in order, and writes access units."""

    @abstractmethod
    def begin(self, coded: bytes, key: FaceParameters, weights: FloatArray | None = None) -> None:
        """Start the access unit of a key picture, coded as an Annex B stream.

        `weights` are `AnimationModel.value_weights` of its parameters.
        """

    @abstractmethod
    def add(self, parameters: FaceParameters | None, back: int = 0) -> None:
        """Add a driven picture; None when it shows no face.

        `back` says how many key pictures before the current one its reference lies; without a
        face it is that of the picture before.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is still held back."""


class ImmediateUnits(FaceUnits):
    """A message for every picture, written at once."""

    def __init__(self, layout: ParameterLayout, card: ModelCard, writer: StreamWriter) -> None:
        self._coder = ParameterCoder(layout, card)
        self._writer = writer

    def begin(self, coded: bytes, key: FaceParameters, weights: FloatArray | None = None) -> None:
        """Write the key picture and its base message."""
        self._writer.begin_picture(coded, self._coder.base(key))

    def add(self, parameters: FaceParameters | None, back: int = 0) -> None:
        """Write the message of a driven picture, whose reference is the current key picture."""
        assert not back
        if parameters is None:
            self._writer.add_message(self._coder.repeated())
        else:
            self._writer.add_message(self._coder.driven(parameters))

    def close(self) -> None:
        """Nothing is held back."""


@dataclass(slots=True)
class _Run:
    """Successive pictures of one reference, and how many key pictures back it lies."""

    back: int
    faces: list[FaceParameters | None]


class DecidedUnits(FaceUnits):
    """Messages where they pay, once an access unit is complete.

    An access unit of more than `MAX_BUFFERED` pictures, which may come about when no face is
    in view for long, gets a message for each of its pictures. `pool` key pictures, the current
    one included, may be references.
    """

    def __init__(
        self,
        layout: ParameterLayout,
        card: ModelCard,
        writer: StreamWriter,
        settings: SymbolSettings,
        pool: int = 1,
    ) -> None:
        self._layout = layout
        self._coder = ParameterCoder(layout, card)
        self._writer = writer
        self._settings = settings
        self._pool = pool
        self._weights: deque[FloatArray | None] = deque(maxlen=pool)  # of key pictures, last first
        self._number = -1
        self._coded = b""
        self._runs: list[_Run] = []
        self._held = 0
        self._overflown = False
        self.last_decided: DecidedUnit | None = None
        """What was decided about the access unit that was written last."""

    def begin(self, coded: bytes, key: FaceParameters, weights: FloatArray | None = None) -> None:
        """Write the access unit before, and hold this one back."""
        self.close()
        self._coded, self._runs, self._held = coded, [_Run(0, [key])], 1
        self._weights.appendleft(weights)
        self._number = (self._number + 1) % NUMBERS
        self._overflown = False

    def add(self, parameters: FaceParameters | None, back: int = 0) -> None:
        """Hold a picture back, unless there are too many already."""
        if self._overflown:
            face = self._coder.repeated() if parameters is None else self._coder.driven(parameters)
            self._writer.add_message(face)
            return
        if parameters is not None and back != self._runs[-1].back:
            self._runs.append(_Run(back, []))
        self._runs[-1].faces.append(parameters)
        self._held += 1
        if self._held >= MAX_BUFFERED:
            self._write(at_full_rate=True)
            self._overflown = True

    def close(self) -> None:
        """Write the access unit that is held back."""
        if self._runs:
            self._write(at_full_rate=False)

    def _write(self, *, at_full_rate: bool) -> None:
        runs, self._runs = self._runs, []
        settings = replace(self._settings, switches=FULL_RATE) if at_full_rate else self._settings
        faces = [run.faces for run in runs]
        weights = [self._weights[run.back] for run in runs]
        self.last_decided = decided = decide_unit(faces, self._layout, weights, settings)
        starts = [0, *accumulate(len(run.faces) for run in runs)][:-1]
        sent = [
            start + picture
            for start, of_run in zip(starts, decided.runs, strict=True)
            for picture in of_run.pictures
        ]
        schedule = PictureSchedule(self._held, tuple(sent[1:]))
        full = not schedule.without_message and not decided.leaves_parts_out
        references = None
        if self._pool > 1:
            backs = [run.back for run in runs]
            references = ReferenceRuns(
                self._pool, self._number, tuple(starts[1:]), tuple(backs[1:])
            )
        first, *others = self._messages(runs, decided)
        self._writer.begin_picture(self._coded, first, None if full else schedule, references)
        for message in others:
            self._writer.add_message(message)

    def _messages(self, runs: list[_Run], decided: DecidedUnit) -> Iterator[SeiMessage]:
        """Messages, each predicted from the one before, whatever its reference."""
        self._coder.start()
        for run, of_run in zip(runs, decided.runs, strict=True):
            for picture in of_run.pictures:
                values = of_parts(of_run.at(picture), decided.layout)
                yield self._coder.decided(values, low_confidence=run.faces[picture] is None)
