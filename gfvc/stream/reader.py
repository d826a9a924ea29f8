"""Taking a stream apart: the base layer for the base decoder, face parameters by picture.

A stream is gone through once, to see that all of it can be understood and how much it asks for,
before a picture is decoded. What was read waits in a file, so memory does not grow with the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from base_codec_adapters import Codec as BaseCodec
from gfvc.errors import InputError, StreamError
from gfvc.face_square import FaceSquare
from gfvc.limits import excess_samples, most_pictures
from gfvc.stream.codec_change import CodecChange
from gfvc.stream.control_grids import SequenceGrids
from gfvc.stream.face_reader import FaceReader
from gfvc.stream.face_stream import FaceStream, KeptUnits, RateChange, ShownSizeChange
from gfvc.stream.faces import FurtherFace
from gfvc.stream.information import StreamInformation, is_ours, stated_by
from gfvc.stream.kept import Kept
from gfvc.stream.last_sample import last_sample_is_whole
from gfvc.stream.losses import Losses
from gfvc.stream.nal_source import NOT_READ, STANDARD_INPUT, file_bytes, open_nal_units
from gfvc.stream.output_order import OutputOrder
from gfvc.stream.parameter_sets import CodedBytes, ParameterSetWatch
from gfvc.stream.picture_cost import PictureCost
from gfvc.stream.picture_gaps import PictureGaps
from gfvc.stream.picture_order import WANTED_ORDER, PictureOrder
from gfvc.stream.picture_units import FaceMessage, FurtherFaceUnit, PictureUnit
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.sequence_places import LACKS_IDR, NOT_DUE, SequencePlaces
from gfvc.stream.sequence_starts import COUNTED_TWICE, NOT_ANNOUNCED, SequenceStarts
from gfvc.stream.shown_size import ShownSize
from gfvc.stream.skipped_pictures import SkippedPictures
from gfvc.stream.stated_content import StatedContent
from gfvc.telling import Notes
from models.post_filter import enlargement, unstated_qps
from sei import (
    GENERATIVE_FACE_VIDEO,
    Codec,
    MessageCutError,
    NalUnit,
    SeiError,
    SeiMessage,
    TrailingBitsError,
    iterate_sei_messages,
)
from sei import StreamError as ByteStreamError

_CODECS: dict[Codec, BaseCodec] = {Codec.VVC: "vvc", Codec.HEVC: "hevc"}
_HEADER_BYTES = 2  # of a VVC or HEVC NAL unit


def read_face_stream(
    path: Path, notes: Notes, codec: str | None = None, max_pictures: int | None = None
) -> FaceStream:
    """Read a stream; a stream that was cut off is read up to the cut, and `notes` is told.

    What decoding does not need does not stop it: other layers and unspecified NAL unit types are
    left out, damaged SEI messages that are no face messages are passed over, and `notes` is told.
    `codec` names the codec where the stream does not tell.

    Raises `InputError` when the file is no VVC or HEVC stream, `StreamError` when it holds neither
    face messages nor pictures that it says are shown as coded, or messages that cannot be
    understood, or asks for more pictures than `gfvc.limits.most_pictures` of `max_pictures`, or for
    more samples in them than `gfvc.limits.excess_samples` lets by.
    """
    told: list[str] = []
    try:
        try:
            return _Scan(path, told.append, codec, max_pictures).face_stream()
        except _OtherCountsError:
            told.clear()
            scan = _Scan(path, told.append, codec, max_pictures, places_by_order=False)
            return scan.face_stream()
    finally:
        for text in told:
            notes(text)


class _OtherCountsError(Exception):
    """Order counts are not those of an encoder that counts pictures by one."""


def _in_unit(offset: int | None) -> str:
    return f"in the NAL unit at byte {offset}"


def _start_of(unit: NalUnit) -> int | None:
    """The byte where a NAL unit starts, with its start code: where a stream can be cut."""
    return None if unit.offset is None else unit.offset - unit.start_code_size


class _Gathered:
    """NAL units that belong together: their bytes, and what was seen among them."""

    def __init__(self) -> None:
        self._coded = CodedBytes()
        self.idr = False
        self.precedes_picture = self.ends_sequence = False
        self.last: NalUnit | None = None
        self._types: set[int] = set()

    def add(self, unit: NalUnit) -> None:
        self._coded.add(unit, unit.to_annex_b())
        self.last = unit
        if unit.nal_unit_type not in self._types:
            self._types.add(unit.nal_unit_type)
            self.idr |= unit.is_idr
            self.precedes_picture |= unit.precedes_picture
            self.ends_sequence |= unit.ends_sequence

    @property
    def coded(self) -> bytearray:
        """The bytes."""
        return self._coded.data


class _Scan:
    """Goes through a stream, and keeps its picture units, each when it is complete."""

    def __init__(
        self,
        path: Path,
        notes: Notes,
        codec: str | None,
        max_pictures: int | None,
        *,
        places_by_order: bool = True,
    ) -> None:
        self._path = path
        self._named_codec = codec
        self._notes = notes
        self._file_bytes = file_bytes(path)
        self._max_pictures = max_pictures
        self._most_pictures = most_pictures(max_pictures, self._file_bytes)
        self._area = 0  # luma samples of the last picture, as it is shown
        # As they are enlarged, if they are; the latter of pictures that are complete.
        self._coded_samples = self._shown_samples = 0
        self._faces = FaceReader(path, notes)
        self._units = KeptUnits()
        # Of the last picture that was started: of its first face, then of each further one.
        self._messages: list[Kept[FaceMessage]] = []
        self._picture: PictureUnit | None = None
        self._picture_at: int | None = None  # its byte
        self._has_own_sets = False  # came with it
        self._lacks_user_data = False  # where decoding can start
        self._of_picture = _Gathered()
        self._waiting = _Gathered()  # belongs to the picture that comes next
        self._pictures = self._pictures_as_coded = 0  # output pictures of those that are complete
        self._draws = False
        self._information: tuple[StreamInformation, bytes] | None = None  # of the next picture
        self._sequence: SequenceSchedule | None = None  # that of the last user data
        self._by_order = places_by_order
        self._places = SequencePlaces(by_order=places_by_order)  # in it
        self._bytes: dict[int, int | None] = {}  # of its coded pictures, by their numbers
        self._is_numbered = False  # the last picture, so that it may come in any order
        self._before_sequence = 0  # output pictures
        self._output_order = OutputOrder()
        self._losses = Losses()
        self._order = PictureOrder()
        self._cost = PictureCost()
        self._skipped = SkippedPictures()
        self._skips = False  # decoders do, of the pictures so far
        self._starts = SequenceStarts()
        self._gaps = PictureGaps()
        self._lost: str | None = None  # where the first picture is missing between others
        self._face_square: FaceSquare | None = None  # by the last user data
        self._post_filter = 0  # likewise
        self._told_qps = unstated_qps(0)
        self._further_faces: tuple[FurtherFace, ...] = ()
        self._control_grids: SequenceGrids | None = None
        self._any_as_coded = False
        self._damaged_sei = self._late_information = False  # and notes were told
        self._cut: str | None = None  # where the stream was cut off
        self._codec: Codec | None = None
        self._codec_change: CodecChange | None = None
        self._rate: Fraction | None = None
        self._shown_size: ShownSize | None = None
        self._states_size = False  # a picture came
        self._shown_size_change: ShownSizeChange | None = None
        self._content = StatedContent()
        self._rate_change: RateChange | None = None
        self._access_unit_at: int | None = None  # byte where that of the next picture starts
        self._sets = ParameterSetWatch()
        # What is wrong with the sets before the next picture, those of the last, and all so far.
        self._next_fault: str | None = None
        self._picture_fault: str | None = None
        self._fault: str | None = None

    def face_stream(self) -> FaceStream:
        """Go through the stream."""
        if self._path == STANDARD_INPUT:
            raise InputError(f"{self._path}: {NOT_READ}")
        try:
            with open_nal_units(self._path, self._named_codec, self._notes) as units:
                held: NalUnit | None = None
                for unit in self._without_cut_header(units):
                    if held is not None:
                        self._add(held, last=False)
                    held = unit
                if held is None:
                    raise InputError(f"{self._path}: is empty")
                self._add(held, last=True)
        except SeiError as error:
            raise StreamError(f"{self._path}: {error}") from None
        self._finish()
        assert self._codec is not None
        order = self._output_order.found()
        return FaceStream(
            _CODECS[self._codec],
            self._rate,
            self._faces.model_uri,
            self._units if order is None else self._units.in_order(order.output),
            self._pictures_as_coded,
            self._pictures,
            self._draws,
            self._content.mark,
            self._content.restricted_uses,
            self._rate_change,
            self._fault,
            self._lacking(),
            self._lost,
            self._sets.video_sets,
            None if order is None else order.coding,
            self._shown_size,
            self._shown_size_change,
        )

    def _check_pictures(self, further: int) -> None:
        if self._pictures + further > self._most_pictures:
            raise StreamError(
                f"{self._path}: its {self._file_bytes} bytes ask for more than "
                f"{self._most_pictures} pictures; if that is meant, allow more with --max-pictures"
            )
        shown = self._shown_samples + further * self._area
        excess = excess_samples(self._coded_samples, shown, self._max_pictures, self._file_bytes)
        if excess is not None:
            raise StreamError(
                f"{self._path}: its {self._file_bytes} bytes ask for {excess}; if that is meant, "
                "say with --max-pictures how many pictures it may have"
            )

    def _without_cut_header(self, units: Iterator[NalUnit]) -> Iterator[NalUnit]:
        """The NAL units, but for a last one that was cut off within its header."""
        try:
            yield from units
        except ByteStreamError as error:
            if error.offset is None or error.offset + _HEADER_BYTES <= self._file_bytes:
                raise
            self._cut = _in_unit(error.offset)

    def _add(self, unit: NalUnit, *, last: bool) -> None:
        if self._codec is None:
            self._codec = unit.codec
            if unit.codec not in _CODECS:
                raise InputError(
                    f"{self._path}: an {unit.codec.name} stream; VVC or HEVC is wanted"
                )
            self._codec_change = CodecChange(unit.codec)
        assert self._codec_change is not None
        if self._codec_change.sees_one(unit):
            assert self._codec_change.other is not None
            raise StreamError(
                f"{self._path}: goes on in {self._codec_change.other.name} with the sequence "
                f"parameter set at byte {self._codec_change.at}; split it there"
            )
        if unit.layer_id or unit.is_unspecified:
            return  # Of another layer, or of something that this decoder knows nothing of.
        too_many = self._cost.exceeds(unit)
        if too_many is not None:
            raise StreamError(
                f"{self._path}: {too_many}, at byte {unit.offset}; decoders would keep them all in "
                "memory"
            )
        if self._access_unit_at is None and (unit.precedes_picture or unit.starts_picture):
            self._access_unit_at = _start_of(unit)
        if unit.is_sei:
            self._add_sei(unit, last=last)
            return
        self._see_sets(unit)
        if unit.starts_picture:
            self._close_picture()
        is_out_of_order = self._order.see(unit)
        if unit.starts_picture:
            self._start_picture(unit)
            self._access_unit_at = None
        elif unit.is_vcl and self._of_picture.ends_sequence:
            raise StreamError(
                f"{self._path}: NAL unit at byte {unit.offset}: a slice that starts no picture, "
                "after the end of a sequence; the stream is damaged there, or goes on in another "
                "codec"
            )
        elif self._picture is not None and (
            unit.is_vcl or (unit.ends_sequence and self._waiting.last is None)
        ):
            self._of_picture.add(unit)
        else:
            self._waiting.add(unit)
        if unit.is_vcl:
            self._check_start("coded picture", unit.offset, self._starts.see_slice(unit))
        self._skips |= self._skipped.sees_one(unit)
        if is_out_of_order and not self._is_numbered:
            self._refuse_order()

    def _see_sets(self, unit: NalUnit) -> None:
        """Note what keeps coded pictures from being decoded, with its place in the whole stream."""
        problem = self._sets.see(unit)
        if problem is None or self._next_fault is not None:
            return
        if self._sets.is_change:
            at = self._access_unit_at
            self._next_fault = f"they {problem} with the access unit at byte {at}; split it there"
        else:
            self._next_fault = f"byte {unit.offset}: {problem}"

    def _lacking(self) -> str | None:
        """What parameter sets are not there."""
        missing, video = self._sets.missing, self._sets.missing_video
        if missing is not None:
            at = self._sets.first_picture
            return (
                f"no {missing} comes before the first of them, at byte {at}; start the stream "
                "where its parameter sets are"
            )
        if video is not None:
            return (
                f"the SPS at byte {video[1]} refers to VPS {video[0]}, which the stream does not "
                "have; put it before the SPS"
            )
        return None

    def _refuse_order(self) -> None:
        skipped = (
            "; decoders skip leading pictures (RASL) of the CRA picture at which a stream starts"
        )
        raise StreamError(
            f"{self._path}: the coded picture at byte {self._order.at} is shown before one that it "
            f"follows in the stream; {WANTED_ORDER}{skipped if self._skips else ''}"
        )

    def _check_start(self, what: str, offset: int | None, problem: str | None) -> None:
        if problem is not None:
            raise StreamError(f"{self._path}: the {what} at byte {offset} {problem}")

    def _check_order_counts(self) -> None:
        at = self._gaps.twice_at
        self._check_start("coded picture", at, None if at is None else COUNTED_TWICE)

    def _start_picture(self, unit: NalUnit) -> None:
        self._of_picture, self._waiting = self._waiting, _Gathered()
        self._of_picture.ends_sequence = False  # of one before
        self._of_picture.add(unit)
        self._picture_fault, self._next_fault = self._next_fault, None
        self._picture_at = unit.offset
        self._is_numbered = False
        self._has_own_sets = self._sets.came_with_picture
        self._messages = [self._units.messages()]
        self._starts.start_picture(None if self._information is None else self._information[0])
        self._picture = PictureUnit(
            messages=self._messages[0], shown_as_coded=self._starts.shown_as_coded
        )
        if self._information is not None:
            stated, payload = self._information
            self._information = None
            self._end_sequence(f"before byte {unit.offset}")
            self._see_rate(stated.rate)
            self._see_shown_size(stated.shown_size)
            if stated.schedule is not None or stated.references is not None:
                self._picture.information = payload
            self._picture.base_announced = not stated.shown_as_coded
            self._picture.announce(stated.schedule)
            self._picture.hidden = stated.hides_coded_picture
            self._start_sequence(stated.sequence)
            self._face_square = stated.face_square
            self._further_faces = stated.further_faces
            self._control_grids = stated.control_grids
            self._post_filter = stated.post_filter
            self._told_qps = stated.post_filter_qps or unstated_qps(self._post_filter)
        elif unit.is_irap:
            self._end_sequence(f"before byte {unit.offset}")
            self._start_sequence(None)
            self._face_square, self._further_faces = None, ()
            self._control_grids = None
            self._post_filter = 0
            self._lacks_user_data = True
        if not self._states_size:
            self._see_shown_size(None)
        shown = self._shown_size
        enlarged = self._sets.area * enlargement(self._post_filter) ** 2
        self._coded_samples += enlarged
        self._area = max(enlarged, 0 if shown is None else shown.width * shown.height)
        self._picture.face_square = self._face_square
        self._picture.post_filter = self._post_filter
        self._picture.post_filter_qp = self._told_qps.of(is_key=unit.is_irap)
        if self._sequence is not None:
            self._place_in_sequence(unit, self._picture, self._sequence)

    def _place_in_sequence(
        self, unit: NalUnit, picture: PictureUnit, sequence: SequenceSchedule
    ) -> None:
        """Tell a picture what the user data of its IDR picture say of it."""
        number = self._places.number(self._order.last)
        announced = len(sequence.driven)
        if number is None and self._places.is_reordered:
            raise StreamError(f"{self._path}: coded picture at byte {unit.offset} {NOT_DUE}")
        if number is None and self._places.came <= announced:
            raise _OtherCountsError
        if number is None:
            raise StreamError(
                f"{self._path}: coded picture at byte {unit.offset} is number {self._places.came} "
                f"of its sequence, whose user data announces {announced}; {LACKS_IDR}"
            )
        self._bytes[number] = unit.offset
        # The first comes after all that came before, as any other picture.
        self._is_numbered = self._by_order and number > 0 and self._order.last is not None
        picture.part = sequence.part(number)
        picture.announce(picture.part.schedule)
        picture.hidden = picture.part.hidden
        picture.base_announced = picture.part.has_messages
        picture.shown_as_coded = not picture.base_announced
        self._any_as_coded |= not sequence.drives
        picture.further = tuple(self._further_units(number))
        if self._control_grids is not None:
            picture.control_grids = self._control_grids.of_unit(number)

    def _start_sequence(self, sequence: SequenceSchedule | None) -> None:
        self._sequence = sequence
        self._places.start(0 if sequence is None else len(sequence.driven))
        self._bytes.clear()
        self._before_sequence = self._pictures

    def _see_rate(self, rate: Fraction) -> None:
        """Take the rate that the user data of a picture state."""
        if self._rate is None:
            self._rate = rate
        elif rate != self._rate and self._rate_change is None:
            self._rate_change = RateChange(rate, self._pictures, self._access_unit_at)

    def _see_shown_size(self, size: ShownSize | None) -> None:
        """Take the size at which the user data of a picture, or none, have pictures shown."""
        if not self._states_size:
            self._states_size, self._shown_size = True, size
        elif size != self._shown_size and self._shown_size_change is None:
            self._shown_size_change = ShownSizeChange(size, self._access_unit_at)

    def _end_sequence(self, where: str) -> None:
        """Note the coded pictures that did not come, between others and behind them."""
        if self._sequence is None:
            return
        for first, after in self._places.gaps():
            gap = (
                f"after that at byte {self._bytes.get(first - 1)}, number {first} of its sequence "
                "from 0 on"
            )
            if self._rate is not None:
                before = self._before_sequence + self._sequence.pictures_before(first)
                gap += f", at {float(before / self._rate):.2f} s"
            self._losses.see_gap(after - first, gap)
        self._losses.end_sequence(self._sequence, self._places.due, where)

    def _further_units(self, number: int) -> Iterator[FurtherFaceUnit]:
        """What further faces have of the coded picture of a number of its sequence."""
        for gfv_id, face in enumerate(self._further_faces, 1):
            messages: Kept[FaceMessage] = self._units.messages()
            self._messages.append(messages)
            part = face.part(number)
            of_face = PictureUnit(
                messages=messages,
                base_announced=part.has_messages,
                part=part,
                hidden=part.hidden,
            )
            of_face.announce(part.schedule)
            yield FurtherFaceUnit(gfv_id, face.square, face.drawn[number], of_face)

    def _close_picture(self) -> None:
        """Complete the picture that was started, if there is one, and keep it."""
        picture, self._picture = self._picture, None
        if picture is None:
            return
        if self._lacks_user_data and picture.messages:
            self._losses.see_key_without_user_data(self._picture_at)
        self._lacks_user_data = False
        self._check_start("coded picture", self._picture_at, self._starts.end_picture())
        self._losses.end_picture(picture, self._picture_at, is_cut=self._cut is not None)
        gathered = self._of_picture
        picture.coded = gathered.coded
        picture.can_be_entered = gathered.idr and self._has_own_sets
        self._check_pictures(picture.pictures)
        self._pictures += picture.pictures
        self._shown_samples += picture.pictures * self._area
        as_coded = picture.shown_as_coded and picture.part is None
        self._pictures_as_coded += picture.is_alone and as_coded
        self._gaps.add(self._order, is_ordinary=picture.is_alone and as_coded)
        self._check_order_counts()
        self._draws |= not picture.is_alone
        self._fault = self._fault or self._picture_fault
        if not picture.is_alone and self._order.drive(is_numbered=self._is_numbered):
            self._refuse_order()
        self._output_order.add(picture)
        self._units.append(picture)

    def _add_sei(self, unit: NalUnit, *, last: bool) -> None:
        for message in self._sei_messages(unit, last=last):
            information = self._stated(unit, message)
            if information is not None:
                self._any_as_coded |= information.shown_as_coded
                self._information = information, message.payload
            elif message.payload_type == GENERATIVE_FACE_VIDEO:
                self._add_face(unit, message)
            else:
                self._see_content(unit, message)

    def _see_content(self, unit: NalUnit, message: SeiMessage) -> None:
        try:
            self._content.see(message)
        except StreamError as error:
            raise StreamError(f"{self._path}: NAL unit at byte {unit.offset}: {error}") from None

    def _stated(self, unit: NalUnit, message: SeiMessage) -> StreamInformation | None:
        if unit.is_suffix_sei and is_ours(message) and not self._late_information:
            self._late_information = True
            self._notes(
                f"{self._path}: user data of gfvc in the SEI NAL unit at byte {unit.offset}, after "
                "the coded picture, counts for nothing: it goes before it, in prefix SEI"
            )
        try:
            return stated_by(unit, message)
        except StreamError as error:
            raise StreamError(f"{self._path}: NAL unit at byte {unit.offset}: {error}") from None

    def _sei_messages(self, unit: NalUnit, *, last: bool) -> Iterator[SeiMessage]:
        """Messages of an SEI NAL unit, and of a damaged one those before the damage.

        Damage is an error only where a face message is lost by it.
        """
        try:
            yield from iterate_sei_messages(unit.rbsp)
        except (TrailingBitsError, MessageCutError) as error:
            lost = error.payload_type if isinstance(error, MessageCutError) else None
            if last:
                self._cut = _in_unit(unit.offset)
            elif lost == GENERATIVE_FACE_VIDEO:
                raise StreamError(
                    f"{self._path}: SEI NAL unit at byte {unit.offset}: {error}"
                ) from None
            elif not self._damaged_sei:
                self._damaged_sei = True
                self._notes(
                    f"{self._path}: the SEI NAL unit at byte {unit.offset} is damaged ({error}); "
                    "what can be read of it is used, and gfvc verify says more"
                )

    def _add_face(self, unit: NalUnit, message: SeiMessage) -> None:
        read = self._faces.read(message, unit, self._picture)
        if read is not None:
            assert self._picture is not None
            face, which = read
            if not which:
                problem = self._starts.see_message()
                part = self._picture.part
                # Numbers by order counts may turn out to be others.
                is_counted = part is not None and part.number == self._places.came - 1
                if is_counted and self._picture.shown_as_coded:
                    problem = NOT_ANNOUNCED
                self._check_start("face message", unit.offset, problem)
            self._messages[which].append(face)
            self._check_pictures(self._picture.pictures)

    def _finish(self) -> None:
        """Complete the last picture, or leave it out, and tell what is missing."""
        after, of_picture = self._waiting, self._of_picture
        if self._picture is not None and not (
            self._picture.messages
            or after.last is not None
            or of_picture.ends_sequence
            or last_sample_is_whole(self._path)
        ):
            # Nothing says that it is whole.
            self._picture = None
            self._cut = f"in the coded picture at byte {self._picture_at}, or right after it"
        elif after.precedes_picture and after.last is not None:
            self._cut = _in_unit(after.last.offset)
        if self._cut is not None and self._picture is not None:
            self._picture.cut_schedule()
        self._close_picture()
        if not self._faces.count and (self._losses.messages or not self._any_as_coded):
            raise StreamError(
                f"{self._path}: holds no generative face video messages; a player can show it"
            )
        self._faces.check_end()
        if not self._units:
            raise StreamError(f"{self._path}: ends before the base message of its first picture")
        missing = self._gaps.found(self._rate)
        self._check_order_counts()
        self._end_sequence("at the end")
        if self._cut is not None:
            self._notes(f"{self._path}: cut off {self._cut}; what comes before is used")
        self._losses.tell(self._path, self._notes, any_user_data=self._rate is not None)
        self._lost = self._losses.gap or (None if missing is None else missing.where)
        if missing is not None:
            self._notes(f"{self._path}: {missing.text}")
