"""How many pictures a stream decodes to, and which ones its messages are of, without decoding it.

The rules are those of `gfvc.stream.reader`. What that refuses is counted as far as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from gfvc.stream.information import StreamInformation, stated_by
from gfvc.stream.picture_order import OrderCount, OrderCounts
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.sequence_places import SequencePlaces
from sei import GenerativeFaceVideo, NalUnit
from sei.inspection import InspectedMessage, InspectedUnit


class StreamEnd:
    """Whether something follows the last coded picture, so that it cannot have been cut off.

    `begins_another` says that this belongs to a further picture, which is missing.
    """

    def __init__(self) -> None:
        self.is_followed = self.begins_another = False

    def see(self, unit: NalUnit) -> None:
        """See a NAL unit of the base layer."""
        if unit.starts_picture:
            self.is_followed = self.begins_another = False
        elif not (unit.is_sei or unit.is_vcl or unit.is_unspecified):
            self.is_followed = True
            self.begins_another |= unit.precedes_picture


class PictureCount:
    """Counts the output pictures of a stream, and numbers those that messages are of.

    It wants all messages of user data and of faces, and passes others by. `note` is called with
    what user data say of a picture, when this starts. `complete` are the pictures that came before
    the last coded picture and what this drives, `first` those that are shown before: of sequences
    all that user data announce, also where coded pictures are missing.
    """

    def __init__(self, note: Callable[[StreamInformation], object] = lambda _: None) -> None:
        self._note = note
        self.complete = self.first = 0
        self.unit: PictureUnit | None = None  # the last coded picture; of messages, their number
        self.is_cut = False  # where reading it broke off
        self.ends_whole = False  # so its container says
        self._end = StreamEnd()
        self._ahead = 0  # messages before a coded picture, as in H.264
        self._last_count: int | None = None  # gfv_cnt
        self._gfv_id: int | None = None  # of the first face
        self._is_face_stream = False
        self._information: tuple[StreamInformation, bytes] | None = None  # of the next picture
        self._shown_as_coded = False
        self._sequence: SequenceSchedule | None = None
        self._orders, self._places = OrderCounts(), SequencePlaces()
        self._before_sequence = self._missing = 0  # pictures
        self._further = 0  # faces beside the first
        self._nal = self._damaged = -1  # numbers of the last NAL unit, and the last damaged one

    def see(self, inspected: InspectedUnit | InspectedMessage) -> int | None:
        """See what comes next; the number of the output picture of a message of the first face.

        Raises `StreamError` when it is user data of ours that is damaged, which counts for nothing.
        """
        if isinstance(inspected, InspectedUnit):
            self._nal = inspected.nal
            unit = inspected.unit
            order = self._orders.read(unit)
            if unit.starts_picture and (not unit.layer_id or self.unit is None):
                self._start_picture(unit, order)
            if not unit.layer_id:
                self._end.see(unit)
            return None
        unit, sei_message = inspected.where.unit, inspected.sei_message
        if unit.layer_id:
            return None
        if sei_message is None:
            self._damaged = inspected.where.nal
        elif isinstance(inspected.message, GenerativeFaceVideo):
            return self._see_face(inspected.message, is_ahead=not unit.is_suffix_sei)
        elif (information := stated_by(unit, sei_message)) is not None:
            # The last that comes before a picture holds.
            self._information = information, sei_message.payload
            self._shown_as_coded = information.shown_as_coded
            self._is_face_stream |= information.shown_as_coded
        return None

    def _start_picture(self, unit: NalUnit, order: OrderCount | None) -> None:
        self.complete = self.known - self._ahead
        picture = self.unit = PictureUnit(
            messages=_numbers(self._ahead), shown_as_coded=self._shown_as_coded
        )
        self._ahead, self._last_count = 0, None
        if self._information is not None:
            stated, payload = self._information
            self._information = None
            self._note(stated)
            if stated.schedule is not None or stated.references is not None:
                picture.information = payload
            picture.announce(stated.schedule)
            picture.hidden = stated.hides_coded_picture
            self._start_sequence(stated.sequence)
            self._further = len(stated.further_faces)
        elif unit.is_irap:
            self._start_sequence(None)
            self._further = 0
        self.first = self.complete + self._missing
        if self._sequence is None:
            return
        number = self._places.number(order)
        if number is None:
            self._places.count_from_here()
            number = self._places.came - 1
        if number < len(self._sequence.driven):
            before = self._sequence.pictures_before(number)
            self.first = self._before_sequence + self._missing + before
            picture.part = part = self._sequence.part(number)
            picture.announce(part.schedule)
            picture.hidden = part.hidden
            picture.shown_as_coded = not part.has_messages
            self._is_face_stream |= picture.shown_as_coded

    def _start_sequence(self, sequence: SequenceSchedule | None) -> None:
        if self._sequence is not None:
            came = self.complete - self._before_sequence
            self._missing += max(0, self._sequence.pictures - came)
        self._sequence, self._before_sequence = sequence, self.complete
        self._places.start(0 if sequence is None else len(sequence.driven))

    def _see_face(self, message: GenerativeFaceVideo, *, is_ahead: bool) -> int | None:
        self._is_face_stream = True
        if message.is_reserved or 0 < message.gfv_id <= self._further:
            return None
        if self._gfv_id is None:
            self._gfv_id = message.gfv_id
        if message.gfv_id != self._gfv_id:
            return None
        if message.gfv_cnt == self._last_count:
            return None  # It is repeated.
        self._last_count = message.gfv_cnt
        unit = self.unit
        if is_ahead or unit is None:
            self._ahead += 1
            return self.known - 1
        number = len(unit.messages)
        unit.messages = _numbers(number + 1)
        schedule = unit.schedule
        if number and schedule is not None and number <= len(schedule.sent):
            number = schedule.sent[number - 1]
        return self.first + unit.output_place(number)

    @property
    def known(self) -> int:
        """Output pictures so far."""
        return self.complete + self._ahead + (0 if self.unit is None else self.unit.pictures)

    @property
    def pictures(self) -> int:
        """Output pictures, if the stream ends here: less what the decoder takes to be cut off."""
        unit = self.unit
        if unit is None or not self._is_face_stream:
            return self.known
        if not (unit.messages or self._end.is_followed or self.ends_whole):
            return self.complete + self._ahead
        if self.is_cut or self._end.begins_another or self._damaged == self._nal:
            unit = replace(unit)
            unit.cut_schedule()
        return self.complete + self._ahead + unit.pictures


def _numbers(messages: int) -> Sequence[FaceMessage]:
    """As many messages, of which nothing but their number is asked: a stream may have very many."""
    return cast("Sequence[FaceMessage]", range(messages))
