"""Coded pictures with what belongs to them: their bytes, and face messages as read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gfvc.face_square import FaceSquare
from gfvc.stream.control_grids import ControlGrids
from gfvc.stream.information import StreamInformation
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.sequence import SequencePart, output_place
from sei import FaceValues


# A unit is asked several times, among its neighbours. What is said of one may take megabytes, so
# that not every unit keeps its own.
@lru_cache(maxsize=4)
def _parsed(payload: bytes) -> StreamInformation | None:
    return StreamInformation.from_payload(payload)


@dataclass(frozen=True, slots=True)
class FaceMessage:
    """What a face message makes the receiver have, and the bytes of its payload."""

    values: FaceValues
    size: int


@dataclass(slots=True)
class FurtherFaceUnit:
    """A coded picture as a face beside the first has it: where, if drawn, and with its messages.

    `unit` has no coded picture of its own; its messages are those of the face.
    """

    gfv_id: int
    square: FaceSquare
    is_drawn: bool
    unit: PictureUnit


@dataclass(slots=True)
class PictureUnit:
    """A coded picture: its NAL units, and the messages that belong to it.

    `coded` is an Annex B stream of the picture and of the parameter sets before it; decoding can
    start here if it `can_be_entered`: an IDR picture with its sequence parameter set.

    `messages` are its face messages in output order, the base message first; empty for a picture
    without any: by mistake, or on purpose if our user data say so (`shown_as_coded`).
    `pictures` is the number of output pictures, `numbered_pictures` that of all that have a number
    in the schedule: the coded one has number 0, though it may be hidden.

    What our user data say is kept as coded, `information` with what it announces: a few bytes
    can stand for many pictures.
    """

    coded: bytearray = field(default_factory=bytearray)
    can_be_entered: bool = False
    messages: Sequence[FaceMessage] = ()
    shown_as_coded: bool = False
    base_announced: bool = False
    """Whether our user data say that it has a base message."""
    information: bytes | None = None
    part: SequencePart | None = None
    """What the schedule of its sequence says of it; None without one."""
    announced: int | None = None
    """Numbered pictures by the schedule; None without one."""
    announced_messages: int | None = None
    """Messages by the schedule, without the base message; None without one."""
    hidden: bool = False
    """Whether the user data have the first driven picture shown in place of the coded one."""
    face_square: FaceSquare | None = None
    """Where the first face is driven and drawn; None: it fills the picture."""
    further: tuple[FurtherFaceUnit, ...] = ()
    """The faces beside it."""
    control_grids: ControlGrids | None = None
    """How what is beside faces moves in the pictures between it and the next; None: as the head."""
    post_filter: int = 0
    """By which filter it goes before it is shown and drawn from; 0: by none."""
    post_filter_qp: int = 0
    """What the filter is told."""

    @property
    def pictures(self) -> int:
        """Number of output pictures."""
        return self.numbered_pictures - self.hides_coded_picture

    @property
    def hides_coded_picture(self) -> bool:
        """Whether the coded picture is not shown; where it drives none after all, it is."""
        return self.hidden and self.numbered_pictures > 1 + self.leading

    @property
    def numbered_pictures(self) -> int:
        """Number of pictures that the schedule counts: the coded one, and those that it drives."""
        if self.announced is not None:
            return self.announced
        return max(1, len(self.messages))

    def output_place(self, number: int) -> int:
        """Where a numbered picture is shown among its output pictures, from 0 on."""
        return output_place(number, self.leading, hides_coded_picture=self.hides_coded_picture)

    @property
    def face_squares(self) -> tuple[FaceSquare, ...]:
        """All squares that faces are drawn in, that of the first face before the others."""
        first = () if self.face_square is None else (self.face_square,)
        return (*first, *(face.square for face in self.further))

    @property
    def is_alone(self) -> bool:
        """Whether it is shown as coded, and drives nothing."""
        return not self.messages and self.pictures == 1

    @property
    def schedule(self) -> PictureSchedule | None:
        """Which output pictures the messages are of; None: one after the other."""
        schedule: PictureSchedule | None = None
        if self.part is not None:
            schedule = self.part.schedule
        elif self._stated is not None:
            schedule = self._stated.schedule
        if schedule is not None and schedule.pictures != self.announced:
            return schedule.cut(self.announced_messages or 0)
        return schedule

    @property
    def leading(self) -> int:
        """How many of the pictures that it drives, from the first on, are shown before it.

        They are numbered backwards from it.
        """
        return 0 if self.part is None else min(self.part.leading, self.numbered_pictures - 1)

    @property
    def has_later_reference(self) -> bool:
        """Whether pictures are drawn from the next coded picture, too, by models that can."""
        return self.part is not None and self.part.has_later_reference

    @property
    def starts_sequence(self) -> bool:
        """Whether no coded picture before it belongs to its sequence."""
        return self.part is None or self.part.number == 0

    def is_followed_by(self, other: PictureUnit) -> bool:
        """Whether another coded picture of its sequence is the next one."""
        return (
            self.part is not None
            and other.part is not None
            and other.part.number == self.part.number + 1
        )

    def shares_driven_with(self, other: PictureUnit) -> bool:
        """Whether what it drives is drawn from another coded picture, too: from the next one."""
        return self.has_later_reference and self.is_followed_by(other)

    @property
    def missing_messages(self) -> int:
        """Number of messages that our user data announce and that are not there."""
        if not self.base_announced:
            return 0
        return max(1 + (self.announced_messages or 0) - len(self.messages), 0)

    def announce(self, schedule: PictureSchedule | None) -> None:
        """Take what our user data say of the messages that will come."""
        if schedule is not None:
            self.announced, self.announced_messages = schedule.pictures, len(schedule.sent)

    @property
    def references(self) -> ReferenceRuns | None:
        """Which key pictures drive the output pictures; None: this one."""
        return None if self._stated is None else self._stated.references

    @property
    def _stated(self) -> StreamInformation | None:
        if self.information is None:
            return None
        return _parsed(self.information)

    @property
    def reference_spans(self) -> list[tuple[int, int, int]]:
        """Spans of numbered pictures: first, after the last, key pictures back of the reference."""
        references = self.references
        if references is None:
            return [(0, self.numbered_pictures, 0)]
        return references.spans(self.numbered_pictures)

    def cut_schedule(self) -> None:
        """Leave out the pictures after the last message that arrived."""
        schedule, arrived = self.schedule, max(len(self.messages) - 1, 0)
        if schedule is not None and arrived < len(schedule.sent):
            self.announce(schedule.cut(arrived))

    def values(self) -> Iterator[FaceValues]:
        """Face parameters of each message: of the picture itself, then of those it drives."""
        return (message.values for message in self.messages)
