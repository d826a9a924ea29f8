"""Check of the order in which coded pictures are shown."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gfvc.errors import StreamError
from gfvc.stream.information import StreamInformation
from gfvc.stream.picture_gaps import PictureGaps
from gfvc.stream.picture_order import WANTED_ORDER, PictureOrder
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.sequence_places import LACKS_IDR, NOT_DUE, SequencePlaces
from gfvc.stream.sequence_starts import COUNTED_TWICE, SequenceStarts
from gfvc.verification.findings import Check, Finding, Place
from gfvc.verification.user_data import StatedInformation, UserDataCheck
from sei import Codec, GenerativeFaceVideo
from sei.inspection import InspectedMessage, InspectedUnit


class PictureOrderCheck(Check):
    """Coded pictures that drive faces come in output order, but in sequences that number them.

    Of ordinary video none is missing, and no sequence lacks its IDR picture.

    The standard has no such rules, so it is no error.
    """

    name = "picture order"

    def __init__(
        self, stated: StatedInformation, user_data: UserDataCheck, starts: SequenceStarts
    ) -> None:
        self._stated, self._user_data = stated, user_data
        self._starts = starts  # which it shows the stream
        self._order, self._gaps = PictureOrder(), PictureGaps()
        self._rate: Fraction | None = None
        self._picture = Place()  # the last coded one
        self._drives = False  # it does, by its messages or user data
        self._sequence_drives = False  # user data say so of all up to the next
        self._sequence: SequenceSchedule | None = None
        self._places = SequencePlaces()  # in it
        self._comes_late = False  # the coded picture here: it is shown before one that came
        self._is_ordinary = False  # or that they are ordinary video
        self._has_information = self._is_coded = False  # here
        self._information: StreamInformation | None = None  # of the next coded picture
        self._is_told = False

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        if unit.starts_picture:
            self._picture, self._is_coded = place, True
            if unit.is_irap and not self._has_information:
                self._sequence_drives, self._sequence = False, None
            self._starts.start_picture(self._information)
            self._information = None
        if not unit.is_sei:
            self._comes_late |= self._order.see(unit)
        if unit.is_vcl and unit.codec is not Codec.AVC:
            yield from self._check_start(self._starts.see_slice(unit))

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if isinstance(message, GenerativeFaceVideo):
            self._drives |= not message.is_reserved
            is_first = not message.is_reserved and self._user_data.drawn_face(message.gfv_id) == 0
            if is_first and inspected.where.unit.codec is not Codec.AVC:
                problem = self._starts.see_message()
                if problem is not None and not self._is_told:
                    self._is_told = True
                    yield self.error(place, f"the face message {problem}; gfvc decode refuses this")
            return
        try:
            information = self._stated.of(inspected)
        except StreamError:
            return  # Another check tells.
        if information is not None:
            schedule, sequence = information.schedule, information.sequence
            self._has_information = True
            self._information = information
            self._drives = schedule is not None and schedule.pictures > 1
            self._sequence_drives = sequence is not None and sequence.drives
            self._sequence = sequence
            self._places.start(0 if sequence is None else len(sequence.driven))
            self._is_ordinary = sequence is None and information.shown_as_coded
            self._rate = information.rate

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        drives = self._drives or self._sequence_drives
        if self._is_coded:
            self._gaps.add(self._order, is_ordinary=self._is_ordinary and not drives)
            yield from self._check_order_counts()
            is_numbered = is_none_due = lacks_idr = False
            if self._sequence is not None:
                number = self._places.number(self._order.last)
                lacks_idr = number is None
                # The first comes after all that came before, as any other picture.
                is_numbered = bool(number) and self._order.last is not None
                is_none_due = number is None and self._places.is_reordered
            if drives:
                self._comes_late |= self._order.drive(is_numbered=is_numbered)
            yield from self._check_start(self._starts.end_picture())
            if is_none_due:
                yield from self._tell(f"the coded picture {NOT_DUE}; gfvc decode refuses this")
            elif self._comes_late and not is_numbered:
                yield from self._tell(
                    "the coded picture is shown before one that it follows in the stream, and gfvc "
                    f"decode refuses this: {LACKS_IDR if lacks_idr else WANTED_ORDER}"
                )
        self._comes_late = False
        self._drives = self._has_information = self._is_coded = False

    def _check_start(self, problem: str | None) -> Iterator[Finding]:
        if problem is not None:
            yield from self._tell(f"the coded picture {problem}; gfvc decode refuses this")

    def _check_order_counts(self) -> Iterator[Finding]:
        at = self._gaps.twice_at
        if at is not None:
            yield from self._tell(
                f"the coded picture {COUNTED_TWICE}; gfvc decode refuses this", Place(offset=at)
            )

    def _tell(self, text: str, place: Place | None = None) -> Iterator[Finding]:
        if not self._is_told:
            self._is_told = True
            yield self.warning(place or self._picture, text)

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        missing = self._gaps.found(self._rate)
        yield from self._check_order_counts()
        if missing is not None:
            yield self.warning(Place(offset=missing.at), missing.text)
