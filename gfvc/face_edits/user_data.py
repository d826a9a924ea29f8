"""What our user data say of a sequence whose messages were edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gfvc.errors import StreamError
from gfvc.face_edits.messages import EditedMessages
from gfvc.face_edits.rewriting import Inform
from gfvc.stream.faces import FurtherFace
from gfvc.stream.information import StreamInformation
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.sequence import SequenceSchedule


def informing(unit: PictureUnit, new: Sequence[EditedMessages | None]) -> Inform:
    """Changes user data as the new messages of a sequence want it, or of a lone picture.

    `unit` is the first of it; `new` are the messages of each, None where they stay.
    """
    messages = new[0]

    def inform(information: StreamInformation) -> StreamInformation:
        if unit.part is None:
            assert messages is not None
            schedule = None
            if unit.schedule is not None:
                schedule = PictureSchedule(messages.pictures, messages.sent)
            hides = messages.hides_coded_picture
            return replace(information, schedule=schedule, hides_coded_picture=hides)
        if information.sequence is None:
            return information
        sequence = _changed_schedule(information.sequence, new)
        further = tuple(_moved(face, sequence) for face in information.further_faces)
        return replace(information, sequence=sequence, further_faces=further)

    return inform


def _changed_schedule(
    schedule: SequenceSchedule, new: Sequence[EditedMessages | None]
) -> SequenceSchedule:
    """The schedule of a sequence with new messages of some of its coded pictures."""
    driven: list[int] = []
    sent: list[int] = []
    hidden: list[int] = []
    start = 0
    for number in range(len(schedule.driven)):
        # Those that a stream lacks that was cut off stay.
        messages = new[number] if number < len(new) else None
        if messages is None:
            of_unit = schedule.unit(number)
            count, numbers, hides = of_unit.pictures, of_unit.sent, schedule.is_hidden(number)
        else:
            count, numbers = messages.pictures, messages.sent
            hides = messages.hides_coded_picture
        driven.append(count - 1)
        sent += [start + picture for picture in numbers]
        hidden += [number] if hides else []
        start += count - 1
    try:
        return replace(schedule, driven=tuple(driven), sent=tuple(sent), hidden=tuple(hidden))
    except ValueError as error:
        raise StreamError(f"its schedule has no room for the edit: {error}") from None


def _moved(face: FurtherFace, sequence: SequenceSchedule) -> FurtherFace:
    """A further face, whose messages stay, in a sequence of which coded pictures were hidden.

    What stands in for one is numbered before what follows it.
    """
    sent: list[int] = []
    start = 0
    for number, driven in enumerate(sequence.driven):
        part = face.part(number)
        inserted = 1 + driven - part.schedule.pictures
        sent += [
            start + picture + (inserted if picture > part.leading else 0)
            for picture in part.schedule.sent
        ]
        start += driven
    return replace(face, schedule=replace(sequence, sent=tuple(sent)))
