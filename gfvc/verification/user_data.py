"""Check of gfvc's own user data message, which states the rate of the output pictures."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator
from fractions import Fraction
from operator import itemgetter

from gfvc.errors import StreamError
from gfvc.options.encoding import MAX_POOL
from gfvc.stream.faces import FurtherFace
from gfvc.stream.information import StreamInformation, is_ours, stated_by
from gfvc.stream.picture_count import StreamEnd
from gfvc.stream.picture_order import OrderCount, OrderCounts
from gfvc.stream.references import NUMBERS, ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.sequence import SequencePart, SequenceSchedule
from gfvc.stream.sequence_places import SequencePlaces
from gfvc.verification.findings import Check, Finding, Place
from models.post_filter import KNOWN
from sei import Codec, GenerativeFaceVideo
from sei.inspection import InspectedMessage, InspectedUnit


class StatedInformation:
    """What messages state in gfvc's user data, each read once for all checks that ask."""

    def __init__(self) -> None:
        self._message: InspectedMessage | None = None
        self._stated: StreamInformation | StreamError | None = None

    def of(self, inspected: InspectedMessage) -> StreamInformation | None:
        """What a message states; None of others' user data, other messages, and in suffix SEI.

        Raises `StreamError` when it is ours and damaged.
        """
        message = inspected.sei_message
        if message is None:
            return None
        if self._message is not inspected:
            try:
                self._stated = stated_by(inspected.where.unit, message)
            except StreamError as error:
                self._stated = error
            self._message = inspected
        if isinstance(self._stated, StreamError):
            raise self._stated
        return self._stated


class UserDataCheck(Check):
    """The stream information stands at every random access point, and says what is there."""

    name = "user data"

    def __init__(self, stated: StatedInformation) -> None:
        self._stated = stated
        self._rate: Fraction | None = None
        self._any = False
        self._here = False
        self._stated_here = False  # in user data that can be read
        self._picture: Place | None = None
        self._missing = 0
        self._first_missing = Place()
        # Coded pictures without a face message whose user data announces one, and not how many.
        self._unmet = 0
        self._first_unmet = Place()
        self._schedule: PictureSchedule | None = None
        self._references: ReferenceRuns | None = None
        self._hides = False  # the coded picture of the access unit
        self._keys: deque[int] = deque(maxlen=MAX_POOL)  # numbers of the last key pictures
        self._messages: Counter[int] = Counter()  # of the access unit, by gfv_id
        self._first_id: int | None = None  # gfv_id of the face that decoders draw first
        self._further: tuple[FurtherFace, ...] = ()  # of the sequence
        self._sequence: SequenceSchedule | None = None  # that of the last IRAP picture
        self._orders, self._places = OrderCounts(), SequencePlaces()
        self._order: OrderCount | None = None  # of the coded picture of the access unit
        # What was found since a coded picture of the sequence came out of turn: by order counts,
        # and by the count of coded pictures, for order counts that turn out to be others.
        self._by_order: list[Finding] = []
        self._by_count: list[Finding] = []
        self._pictures: dict[int, Place] = {}  # those of the sequence, by their numbers
        self._coded: Place | None = None  # where the coded picture of the access unit is
        self._is_face_stream = False
        self._is_decoded = False  # by its codec
        self._shown_as_coded = False  # the pictures up to the next stream information
        self._end = StreamEnd()
        self._last = Place()  # NAL unit
        self._without: Place | None = None  # the last coded picture, if it has no face messages
        self._without_by_intent = False  # and the user data say so

    def see_nal_unit(self, place: Place, inspected: InspectedUnit) -> Iterator[Finding]:
        """See a NAL unit."""
        unit = inspected.unit
        self._end.see(unit)
        self._is_decoded = unit.codec is not Codec.AVC
        self._last = place
        order = None if unit.is_sei else self._orders.read(unit)
        if order is not None:
            self._order = order
        if unit.is_vcl and not unit.layer_id and self._coded is None:
            self._coded = place
            if unit.is_irap and not self._here:
                self._further = ()
                yield from self._end_sequence(place)
        if unit.is_irap and self._picture is None:
            self._picture = place

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        if isinstance(inspected.message, GenerativeFaceVideo):
            counts = not inspected.message.is_reserved and not inspected.repeated
            gfv_id = inspected.message.gfv_id
            self._messages[gfv_id] += counts
            if counts and self._first_id is None and not 0 < gfv_id <= len(self._further):
                self._first_id = gfv_id
            self._is_face_stream = True
        message = inspected.sei_message
        if message is not None and inspected.where.unit.is_suffix_sei and is_ours(message):
            yield self.warning(
                place, "user data of gfvc stand in prefix SEI only; in suffix SEI they are ignored"
            )
        try:
            information = self._stated.of(inspected)
        except StreamError as error:
            self._any = self._here = True
            yield self.error(place, str(error))
            return
        if information is None:
            return
        if self._stated_here:
            yield self.warning(
                place, "user data of gfvc stand here more than once; the last ones count"
            )
            if self._references is not None:
                self._keys.pop()
        else:
            yield from self._end_sequence(place)
        self._any = self._here = self._stated_here = True
        if self._rate not in (None, information.rate):
            yield self.warning(
                place, f"the rate changes from {self._rate} to {information.rate} pictures a second"
            )
        self._rate = information.rate
        if information.post_filter not in (0, *KNOWN):
            yield self.warning(
                place,
                f"asks for post-filter {information.post_filter}, which gfvc does not have: its "
                "decoder uses coded pictures as they are",
            )
        self._sequence = information.sequence
        self._places.start(0 if self._sequence is None else len(self._sequence.driven))
        self._further = information.further_faces
        self._schedule = information.schedule
        self._references = information.references
        self._hides = information.hides_coded_picture
        self._shown_as_coded = information.shown_as_coded
        self._is_face_stream |= information.shown_as_coded
        if information.references is not None:
            self._keys.append(information.references.number)
            yield from self._missing_references(place, information.references)

    def _missing_references(self, place: Place, references: ReferenceRuns) -> Iterator[Finding]:
        """Say of each key picture that is missing where it is first the reference."""
        first_last = zip(reversed(references.backs), reversed(references.starts), strict=True)
        starts = dict(first_last)
        for back, start in sorted(starts.items(), key=itemgetter(1)):
            number = (references.number - back) % NUMBERS
            if number not in self._keys:
                yield self.warning(
                    place,
                    f"from picture {start} on key picture {number} is the reference, {back} before "
                    "this one, which is missing",
                )

    def see_end_of_picture(self) -> Iterator[Finding]:
        """See the end of an access unit."""
        if self._picture is not None and not self._here:
            if not self._missing:
                self._first_missing = self._picture
            self._missing += 1
        messages = self._of_first()
        if self._coded is not None:
            self._without = None if messages else self._coded
            self._without_by_intent = self._shown_as_coded
        if self._schedule is not None and self._picture is not None:
            announced = 1 + len(self._schedule.sent)
            if messages != announced:
                yield self.error(
                    self._picture,
                    f"{messages} {self._face_messages} where the user data announces {announced} "
                    f"for {self._schedule.pictures} pictures",
                )
        elif self._announces_any and not messages and self._coded is not None:
            if not self._unmet:
                self._first_unmet = self._coded
            self._unmet += 1
        elif self._references is not None and self._picture is not None:
            starts = self._references.starts
            late = bisect_left(starts, messages)
            if late < len(starts):
                yield self.error(
                    self._picture,
                    f"{messages} face messages where another reference starts at picture "
                    f"{starts[late]}",
                )
        if self._hides and self._picture is not None and messages < 2:
            yield self.error(
                self._picture, "its user data hides the coded picture, and drives none"
            )
        if self._sequence is not None and self._coded is not None:
            yield from self._check_in_sequence(self._coded, self._sequence)
        self._order = None
        self._here = self._stated_here = False
        self._picture, self._coded = None, None
        self._schedule, self._references = None, None
        self._messages.clear()
        self._hides = False

    def drawn_face(self, gfv_id: int) -> int | None:
        """Which face decoders draw by a message with a gfv_id here, once it was seen.

        0 is the first face, others are further ones; None for one that is not drawn.
        """
        if 0 < gfv_id <= len(self._further):
            return gfv_id
        return 0 if gfv_id == self._first_id else None

    def _of_first(self) -> int:
        """How many messages the access unit has of the face that decoders draw first.

        Where its gfv_id is that of a further face here, they are of that.
        """
        if self._first_id is None or 0 < self._first_id <= len(self._further):
            return 0
        return self._messages[self._first_id]

    @property
    def _announces_any(self) -> bool:
        """Whether the user data of the access unit announces a face message at least."""
        return self._stated_here and self._sequence is None and not self._shown_as_coded

    @property
    def _face_messages(self) -> str:
        """What to call them; by gfv_id where the access unit has others, which are not drawn."""
        numbers = range(1, len(self._further) + 1)
        drawn = {self._first_id, *numbers}
        if self._first_id is None or self._messages.keys() <= drawn:
            return "face messages"
        return f"face messages of gfv_id {self._first_id}, that of the first face,"

    def _check_in_sequence(self, place: Place, sequence: SequenceSchedule) -> Iterator[Finding]:
        """Compare an access unit with what the user data of its IDR picture announces."""
        counted = self._places.came
        number = self._places.number(self._order)
        if number == counted:
            self._pictures[number] = place
            yield from self._check_number(place, sequence, number)
            return
        self._by_count += self._check_number(place, sequence, counted)
        if number is None:
            # Order counts of an encoder that does not count by one.
            self._places.count_from_here()
            self._by_order.clear()
            self._pictures.clear()
            yield from self._take(self._by_count)
            return
        self._pictures[number] = place
        self._by_order += self._check_number(place, sequence, number)

    def _check_gaps(self) -> Iterator[Finding]:
        """Say which coded pictures of the sequence are missing before others, by order counts."""
        for first, after in self._places.gaps() if self._pictures else ():
            several = after - first > 1
            missing = f"{after - first} coded pictures are" if several else "a coded picture is"
            yield self.error(
                self._pictures[after],
                f"{missing} missing before this one, by its order count: number {first} of its "
                f"sequence from 0 on{' and further' if several else ''}, after that at byte "
                f"{self._pictures[first - 1].offset}",
            )

    @staticmethod
    def _take(findings: list[Finding]) -> list[Finding]:
        taken = list(findings)
        findings.clear()
        return taken

    def _check_number(
        self, place: Place, sequence: SequenceSchedule, number: int
    ) -> Iterator[Finding]:
        """Compare an access unit with what is announced of a number of its sequence."""
        if number == len(sequence.driven):
            yield self.error(
                place, f"its user data announces {number} coded pictures, and this is one more"
            )
        if number >= len(sequence.driven):
            return
        self._without_by_intent = not sequence.has_messages(number)
        self._is_face_stream |= self._without_by_intent
        for gfv_id, face in enumerate(self._further, 1):
            found = self._messages[gfv_id]
            text = f"face messages of gfv_id {gfv_id}"
            yield from self._check_count(place, found, text, face.part(number))
        part = sequence.part(number)
        yield from self._check_count(place, self._of_first(), self._face_messages, part)

    def _check_count(
        self, place: Place, found: int, what: str, part: SequencePart
    ) -> Iterator[Finding]:
        """Compare the messages of a face in an access unit with what is announced."""
        announced = 1 + len(part.schedule.sent) if part.has_messages else 0
        if found != announced:
            yield self.error(
                place,
                f"{found} {what} where the user data of its sequence announces {announced} for "
                f"{part.schedule.pictures} pictures",
            )

    def _end_sequence(self, place: Place) -> Iterator[Finding]:
        """The next sequence starts, or the stream ends."""
        self._by_count.clear()
        yield from self._check_gaps()
        self._pictures.clear()
        yield from self._take(self._by_order)
        if self._sequence is not None and self._places.came < len(self._sequence.driven):
            yield self.error(
                place,
                f"the sequence before has {self._places.came} coded pictures, of which its user "
                f"data announces {len(self._sequence.driven)}",
            )
        self._sequence = None

    @property
    def leaves_out_last(self) -> bool:
        """At the end of the stream: whether decoders take its last coded picture for cut off."""
        is_open = self._without is not None and not self._end.is_followed
        return self._is_face_stream and self._is_decoded and is_open

    def _check_end(self) -> Iterator[Finding]:
        """Say where decoders take the stream to be cut off."""
        if self._without is not None and self.leaves_out_last:
            missing = "no end of sequence NAL unit says that it is whole"
            if not self._without_by_intent:
                missing = "no user data say that it is shown as coded"
            yield self.warning(
                self._without,
                f"the last coded picture has no face messages, and {missing}: gfvc decode leaves "
                "it out",
            )
        elif self._end.begins_another:
            yield self.warning(
                self._last,
                "the stream ends where a further coded picture begins: gfvc decode takes it to be "
                "cut off here",
            )

    def see_end(self) -> Iterator[Finding]:
        """See the end of the stream."""
        yield from self._end_sequence(Place())
        if self._is_face_stream and self._is_decoded:
            yield from self._check_end()
        if self._unmet and self._first_id is not None:
            yield self.error(
                self._first_unmet,
                f"no face messages where the user data announces one at least, at {self._unmet} "
                "coded pictures, this being the first",
            )
        if not self._any:
            yield self.information(Place(), "no stream information of gfvc: the rate is not stated")
        elif self._missing:
            yield self.warning(
                self._first_missing,
                f"no stream information of gfvc at {self._missing} random access points, this "
                "being the first",
            )
