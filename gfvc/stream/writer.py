"""Weaving coded pictures and face messages into one elementary stream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import BinaryIO

from gfvc.face_square import FaceSquare
from gfvc.stream.control_grids import SequenceGrids
from gfvc.stream.faces import FurtherFace
from gfvc.stream.information import StreamInformation
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.sequence import SequenceSchedule
from sei import (
    USER_DATA_UNREGISTERED,
    Codec,
    NalUnit,
    SeiMessage,
    access_units,
    end_of_sequence,
    make_sei_nal_unit,
    split_annex_b,
)

# A NAL unit costs 6 bytes beside its messages, so messages share one; but not so many that a
# damaged or missing NAL unit takes much with it: about 2.5 s at 25 pictures a second.
MESSAGES_PER_NAL_UNIT = 64


class StreamWriter:
    """Writes access units: prefix SEI with mark and stream information, picture, suffix SEI.

    They are written one by one, or as whole sequences of the base layer: with face messages, or of
    pictures that are shown as coded.

    `mark` goes with each IDR picture from which others are drawn (`gfvc.stream.marking`).
    `low_delay` writes each message at once in a NAL unit of its own. `sei_bytes` counts the SEI NAL
    units that were added, start codes included.
    """

    def __init__(
        self,
        file: BinaryIO,
        codec: str,
        information: StreamInformation,
        *,
        low_delay: bool = False,
        mark: SeiMessage | None = None,
    ) -> None:
        self._file = file
        self._codec = Codec(codec)
        self._information = information
        self._information_as_coded = _user_data(
            replace(
                information,
                shown_as_coded=True,
                face_square=None,
                further_faces=(),
                control_grids=None,
            )
        )
        self._mark = mark
        self._ends_as_coded = False
        self._limit = 1 if low_delay else MESSAGES_PER_NAL_UNIT
        self._pending: list[SeiMessage] = []
        self.sei_bytes = 0

    def begin_picture(
        self,
        coded: bytes,
        base_message: SeiMessage,
        schedule: PictureSchedule | None = None,
        references: ReferenceRuns | None = None,
    ) -> None:
        """Write the access unit of a key picture, an Annex B stream, and its base message.

        `schedule` says which output pictures will have messages, None: all of them; `references`
        which key pictures drive them, None: this one.
        """
        information = replace(self._information, schedule=schedule, references=references)
        self._write_coded(coded, self._with_mark(information))
        self._ends_as_coded = False
        self.add_message(base_message)

    def write_sequence(
        self,
        coded: bytes,
        schedule: SequenceSchedule,
        messages: Sequence[Iterable[SeiMessage]],
        square: FaceSquare | None = None,
        further: tuple[FurtherFace, ...] = (),
        grids: SequenceGrids | None = None,
    ) -> None:
        """Write a sequence, an Annex B stream that starts with an IDR picture.

        `messages` are those of each coded picture, in the order of the stream: the first face's,
        then those of each of the `further` faces; none where schedules say so. `square` is that of
        the first face, None where it fills the pictures; `grids` say how all else moves. Raises
        `ValueError` when there are other coded pictures than `schedule` says.
        """
        self._flush()
        units = list(access_units(split_annex_b(coded, self._codec)))
        stated = replace(
            self._information,
            sequence=schedule,
            face_square=square,
            further_faces=further,
            control_grids=grids,
        )
        information = self._with_mark(stated)
        for number, (unit, of_picture) in enumerate(zip(units, messages, strict=True)):
            self._write_units(unit, information if number == 0 else [])
            for message in of_picture:
                self.add_message(message)
            self._flush()
        self._ends_as_coded = not schedule.has_messages(len(units) - 1)

    def write_as_coded(self, coded: bytes) -> None:
        """Write an Annex B stream that starts with an IDR picture, to be shown as it is."""
        self._write_coded(coded, [self._information_as_coded])
        self._ends_as_coded = True

    def add_message(self, message: SeiMessage) -> None:
        """Add a message to the current picture."""
        self._pending.append(message)
        if len(self._pending) >= self._limit:
            self._flush()

    def close(self) -> None:
        """Write what is pending; the file stays open.

        A picture shown as coded has no messages that would tell a reader that it is complete, so
        an end of sequence follows the last one.
        """
        self._flush()
        if self._ends_as_coded:
            self._write(end_of_sequence(self._codec))

    def _with_mark(self, information: StreamInformation) -> list[SeiMessage]:
        """What precedes an IDR picture from which pictures are drawn."""
        marks = [] if self._mark is None else [self._mark]
        return [*marks, _user_data(information)]

    def _write_coded(self, coded: bytes, before: list[SeiMessage]) -> None:
        self._flush()
        self._write_units(split_annex_b(coded, self._codec), before)

    def _write_units(self, units: Iterable[NalUnit], before: list[SeiMessage]) -> None:
        """Write NAL units, and messages before the first coded picture among them."""
        for unit in units:
            if unit.is_vcl and before:
                self._write_sei(before, suffix=False)
                before = []
            self._write(unit)

    def _flush(self) -> None:
        if self._pending:
            self._write_sei(self._pending, suffix=True)
            self._pending = []

    def _write_sei(self, messages: list[SeiMessage], *, suffix: bool) -> None:
        self.sei_bytes += self._write(make_sei_nal_unit(messages, self._codec, suffix=suffix))

    def _write(self, unit: NalUnit) -> int:
        return self._file.write(unit.to_annex_b())


def _user_data(information: StreamInformation) -> SeiMessage:
    return SeiMessage(USER_DATA_UNREGISTERED, information.to_payload())
