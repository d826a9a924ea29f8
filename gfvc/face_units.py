"""Access units as they come about: a coded key picture, then the faces of the pictures it drives.

`ImmediateUnits` writes each message as soon as it is known. `DecidedUnits` collects the faces of
an access unit, decides what to send of them, and writes the access unit when it is complete.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from gfvc.parameter_coding import ParameterCoder
from gfvc.picture_schedule import PictureSchedule
from gfvc.stream_writer import StreamWriter
from gfvc.symbol_decisions import (
    FULL_RATE,
    Decided,
    SymbolSettings,
    decide,
    to_face_values,
    to_parts,
)
from models import AnimationModel, FaceParameters, ModelCard

MAX_BUFFERED = 7200
"""Greatest number of pictures that are held back: 30 s at the highest rate."""


class FaceUnits(ABC):
    """Takes the pictures of a clip in order, and writes access units."""

    @abstractmethod
    def begin(self, coded: bytes, key: FaceParameters) -> None:
        """Start the access unit of a key picture, coded as an Annex B stream."""

    @abstractmethod
    def add(self, parameters: FaceParameters | None) -> None:
        """Add a driven picture; None when it shows no face."""

    @abstractmethod
    def close(self) -> None:
        """Write what is still held back."""


class ImmediateUnits(FaceUnits):
    """A message for every picture, written at once."""

    def __init__(self, model: AnimationModel, card: ModelCard, writer: StreamWriter) -> None:
        self._coder = ParameterCoder(model.layout, card)
        self._writer = writer

    def begin(self, coded: bytes, key: FaceParameters) -> None:
        """Write the key picture and its base message."""
        self._writer.begin_picture(coded, self._coder.base(key))

    def add(self, parameters: FaceParameters | None) -> None:
        """Write the message of a driven picture."""
        if parameters is None:
            self._writer.add_message(self._coder.repeated())
        else:
            self._writer.add_message(self._coder.driven(parameters))

    def close(self) -> None:
        """Nothing is held back."""


class DecidedUnits(FaceUnits):
    """Messages where they pay, once an access unit is complete.

    An access unit of more than `MAX_BUFFERED` pictures, which may come about when no face is
    in view for long, gets a message for each of its pictures.
    """

    def __init__(
        self,
        model: AnimationModel,
        card: ModelCard,
        writer: StreamWriter,
        settings: SymbolSettings,
    ) -> None:
        self._model = model
        self._coder = ParameterCoder(model.layout, card)
        self._writer = writer
        self._settings = settings
        self._coded = b""
        self._faces: list[FaceParameters | None] = []
        self._overflown = False
        self.last_decided: Decided | None = None
        """What was decided about the access unit that was written last."""

    def begin(self, coded: bytes, key: FaceParameters) -> None:
        """Write the access unit before, and hold this one back."""
        self.close()
        self._coded, self._faces = coded, [key]
        self._overflown = False

    def add(self, parameters: FaceParameters | None) -> None:
        """Hold a picture back, unless there are too many already."""
        if self._overflown:
            face = self._coder.repeated() if parameters is None else self._coder.driven(parameters)
            self._writer.add_message(face)
            return
        self._faces.append(parameters)
        if len(self._faces) >= MAX_BUFFERED:
            self._write(at_full_rate=True)
            self._overflown = True

    def close(self) -> None:
        """Write the access unit that is held back."""
        if self._faces:
            self._write(at_full_rate=False)

    def _write(self, *, at_full_rate: bool) -> None:
        faces, self._faces = self._faces, []
        key = faces[0]
        assert key is not None
        layout, settings = self._model.layout, self._settings
        parts = to_parts(faces, layout, self._model.value_weights(key))
        switches = FULL_RATE if at_full_rate else settings.switches
        decided = self.last_decided = decide(parts, settings.price, switches)
        pictures = decided.pictures
        schedule = PictureSchedule(len(faces), tuple(pictures[1:]))
        full = not schedule.without_message and not decided.leaves_parts_out
        self._coder.start()
        for picture in pictures:
            values = to_face_values(decided.at(picture), layout)
            message = self._coder.decided(values, low_confidence=faces[picture] is None)
            if picture:
                self._writer.add_message(message)
            else:
                self._writer.begin_picture(self._coded, message, None if full else schedule)
