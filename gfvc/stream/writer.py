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
from models.post_filter import ToldQps
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
        self._mark = mark
        self._ends_as_coded = False
        self._limit = 1 if low_delay else MESSAGES_PER_NAL_UNIT
        self._pending: list[SeiMessage] = []
        self._temporal_id = 0  # of the last coded picture
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
        messages: Sequence[Sequence[SeiMessage]],
        square: FaceSquare | None = None,
        further: tuple[FurtherFace, ...] = (),
        grids: SequenceGrids | None = None,
        places: Sequence[int] | None = None,
        post_filter: int = 0,
        qps: ToldQps | None = None,
    ) -> None:
        """Write a sequence, an Annex B stream that starts with an IDR picture.

        `messages` are those of each coded picture, in output order: the first face's, then those of
        each of the `further` faces; none where schedules say so. `square` is that of the first
        face, None where it fills the pictures; `grids` say how all else moves. `places` are those
        of the coded pictures in output order, in the order of the stream; None where these are the
        same. `post_filter` is the number of the filter that they go by, 0 for none, `qps` what it
        is told. Raises `ValueError` when there are others than those with `messages`.
        """
        self._flush()
        units = list(access_units(split_annex_b(coded, self._codec)))
        if len(units) != len(messages):
            raise ValueError(f"{len(units)} coded pictures with messages of {len(messages)}")
        places = range(len(units)) if places is None else places
        stated = replace(
            self._information,
            sequence=schedule,
            face_square=square,
            further_faces=further,
            control_grids=grids,
            post_filter=post_filter,
            post_filter_qps=qps if post_filter else None,
        )
        information = self._with_mark(stated)
        for place, unit in zip(places, units, strict=True):
            self._write_units(unit, information if place == 0 else [])
            for message in messages[place]:
                self.add_message(message)
            self._flush()
        self._ends_as_coded = not schedule.has_messages(places[-1])

    def write_as_coded(
        self,
        coded: bytes,
        post_filter: int = 0,
        qps: ToldQps | None = None,
        square: FaceSquare | None = None,
    ) -> None:
        """Write an Annex B stream that starts with an IDR picture, to be shown as it is.

        But for the post-filter of a number, 0 for none, which is told `qps`; `square` is that of
        the face, for one that is kept to it.
        """
        information = replace(
            self._information,
            shown_as_coded=True,
            face_square=square,
            further_faces=(),
            control_grids=None,
            post_filter=post_filter,
            post_filter_qps=qps if post_filter else None,
        )
        self._write_coded(coded, [_user_data(information)])
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
            if unit.is_vcl:
                if before:
                    self._write_sei(before, suffix=False)
                    before = []
                self._temporal_id = unit.temporal_id
            self._write(unit)

    def _flush(self) -> None:
        if self._pending:
            self._write_sei(self._pending, suffix=True)
            self._pending = []

    def _write_sei(self, messages: list[SeiMessage], *, suffix: bool) -> None:
        # Suffix SEI has the temporal sub-layer of its picture (H.266 7.4.2.2); what goes before one
        # goes before an IDR picture, in the lowest.
        temporal_id = self._temporal_id if suffix else 0
        unit = make_sei_nal_unit(messages, self._codec, suffix=suffix, temporal_id=temporal_id)
        self.sei_bytes += self._write(unit)

    def _write(self, unit: NalUnit) -> int:
        return self._file.write(unit.to_annex_b())


def _user_data(information: StreamInformation) -> SeiMessage:
    return SeiMessage(USER_DATA_UNREGISTERED, information.to_payload())
