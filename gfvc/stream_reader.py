"""Taking a stream apart: the base layer for the base decoder, face parameters by picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from base_codec_adapters import Codec as BaseCodec
from gfvc.errors import InputError, StreamError
from gfvc.nal_source import open_nal_units
from gfvc.picture_schedule import PictureSchedule
from gfvc.reference_runs import ReferenceRuns
from gfvc.stream_information import StreamInformation
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    Codec,
    Element,
    FaceValues,
    GfvState,
    MessageCutError,
    NalUnit,
    NetworkUri,
    SeiError,
    SeiMessage,
    TrailingBitsError,
    iterate_sei_messages,
)
from sei import StreamError as ByteStreamError

Notes = Callable[[str], None]

_CODECS: dict[Codec, BaseCodec] = {Codec.VVC: "vvc", Codec.HEVC: "hevc"}
_HEADER_BYTES = 2  # of a VVC or HEVC NAL unit

# Coded pictures are decoded by this many at least, where the stream can be entered: not all are
# held at once, and the decoder program is not started for each.
PART_PICTURES = 64


@dataclass(slots=True)
class PictureUnit:
    """A coded picture: its NAL units, and the messages that belong to it.

    `payloads` are those of its face messages in output order, the base message first; empty for
    a picture without any, which is shown as coded: by mistake, or on purpose if our user data say
    so (`shown_as_coded`). They are kept as coded, a few bytes each, because a long stream has
    many. `schedule` says which output pictures they are of, None: one after the other, and
    `references` which key pictures drive these, None: this one.
    """

    units: list[NalUnit] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    shown_as_coded: bool = False
    schedule: PictureSchedule | None = None
    references: ReferenceRuns | None = None

    @property
    def pictures(self) -> int:
        """Number of output pictures, the coded one included."""
        if self.schedule is not None and self.payloads:
            return self.schedule.pictures
        return max(1, len(self.payloads))

    @property
    def reference_spans(self) -> list[tuple[int, int, int]]:
        """Spans of output pictures: first, after the last, key pictures back of the reference."""
        if self.references is None:
            return [(0, self.pictures, 0)]
        return self.references.spans(self.pictures)

    @property
    def can_be_entered(self) -> bool:
        """Whether decoding can start here: an IDR picture with its parameter sets."""
        return any(unit.is_idr for unit in self.units) and any(
            unit.type_name == "SPS" for unit in self.units
        )

    def values(self) -> Iterator[FaceValues]:
        """Face parameters of each message: of the picture itself, then of those it drives."""
        state = GfvState()
        for payload in self.payloads:
            state.read(payload)
            yield state.values


@dataclass(frozen=True, slots=True)
class FaceStream:
    """What a decoder needs of a stream. `rate` and `model_uri` are None when not stated."""

    codec: BaseCodec
    picture_units: list[PictureUnit]
    rate: Fraction | None
    model_uri: str | None

    @property
    def base_layer(self) -> bytes:
        """The coded pictures as an Annex B stream of their own."""
        return _annex_b(self.picture_units)

    def base_layer_parts(self) -> Iterator[tuple[bytes, int]]:
        """The base layer in streams that can be decoded one by one, and their coded pictures."""
        part: list[PictureUnit] = []
        for picture in self.picture_units:
            if len(part) >= PART_PICTURES and picture.can_be_entered:
                yield _annex_b(part), len(part)
                part = []
            part.append(picture)
        if part:
            yield _annex_b(part), len(part)

    @property
    def pictures_as_coded(self) -> int:
        """Number of coded pictures that have no face messages: they are shown as they are."""
        return sum(not unit.payloads for unit in self.picture_units)

    @property
    def pictures(self) -> int:
        """Number of output pictures."""
        return sum(unit.pictures for unit in self.picture_units)


def _annex_b(pictures: Iterable[PictureUnit]) -> bytes:
    return b"".join(unit.to_annex_b() for picture in pictures for unit in picture.units)


def read_face_stream(path: Path, notes: Notes, codec: str | None = None) -> FaceStream:
    """Read a stream; a stream that was cut off is read up to the cut, and `notes` is told.

    What decoding does not need does not stop it: other layers and unspecified NAL unit types are
    left out, damaged SEI messages that are no face messages are passed over, and `notes` is told.
    `codec` names the codec where the stream does not tell.

    Raises `InputError` when the file is no VVC or HEVC stream, `StreamError` when it holds neither
    face messages nor pictures that it says are shown as coded, or messages that cannot be
    understood.
    """
    reader = _Reader(path, notes)
    try:
        with open_nal_units(path, codec) as units:
            held: NalUnit | None = None
            for unit in _without_cut_header(path, units, reader):
                if held is not None:
                    reader.add(held, last=False)
                held = unit
            if held is None:
                raise InputError(f"{path}: is empty")
            reader.add(held, last=True)
    except SeiError as error:
        raise StreamError(f"{path}: {error}") from None
    return reader.finish()


def _without_cut_header(path: Path, units: Iterator[NalUnit], reader: _Reader) -> Iterator[NalUnit]:
    """The NAL units, but for a last one that was cut off within its header."""
    try:
        yield from units
    except ByteStreamError as error:
        if error.offset is None or error.offset + _HEADER_BYTES <= path.stat().st_size:
            raise
        reader.cut_at = error.offset


class _Reader:
    """Collects picture units from NAL units in order."""

    def __init__(self, path: Path, notes: Notes) -> None:
        self._path = path
        self._notes = notes
        self._codec: Codec | None = None
        self._state = GfvState()
        self._pictures: list[PictureUnit] = []
        self._waiting: list[NalUnit] = []  # belong to the picture that comes next
        self._rate: Fraction | None = None
        self._schedule: PictureSchedule | None = None  # of the picture that comes next
        self._references: ReferenceRuns | None = None  # likewise
        self._model_uri: str | None = None
        self._messages = 0
        self._shown_as_coded = False  # what the last user data said of the pictures after it
        self._any_as_coded = False
        self._gfv_id: int | None = None
        self._other_faces = False
        self._damaged_sei = False  # and notes were told
        self.cut_at: int | None = None  # byte of the NAL unit in which the stream was cut off

    def add(self, unit: NalUnit, *, last: bool) -> None:
        if self._codec is None:
            self._codec = unit.codec
            if unit.codec not in _CODECS:
                raise InputError(
                    f"{self._path}: an {unit.codec.name} stream; VVC or HEVC is wanted"
                )
        if unit.layer_id or unit.is_unspecified:
            return  # Of another layer, or of something that this decoder knows nothing of.
        if unit.is_sei:
            self._add_sei(unit, last=last)
        elif unit.starts_picture:
            picture = PictureUnit(
                [*self._waiting, unit],
                shown_as_coded=self._shown_as_coded,
                schedule=self._schedule,
                references=self._references,
            )
            self._pictures.append(picture)
            self._waiting, self._schedule, self._references = [], None, None
        elif self._pictures and (unit.is_vcl or (unit.ends_sequence and not self._waiting)):
            self._pictures[-1].units.append(unit)
        else:
            self._waiting.append(unit)

    def _add_sei(self, unit: NalUnit, *, last: bool) -> None:
        for message in self._sei_messages(unit, last=last):
            if message.payload_type == USER_DATA_UNREGISTERED:
                information = self._information(unit, message)
                if information is not None:
                    self._rate = information.rate
                    self._shown_as_coded = information.shown_as_coded
                    self._any_as_coded |= information.shown_as_coded
                    self._schedule = information.schedule
                    self._references = information.references
            elif message.payload_type == GENERATIVE_FACE_VIDEO:
                self._add_face(unit, message)

    def _information(self, unit: NalUnit, message: SeiMessage) -> StreamInformation | None:
        try:
            return StreamInformation.from_payload(message.payload)
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
                self.cut_at = unit.offset
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
        where = f"{self._path}: message {self._messages} (NAL unit at byte {unit.offset})"
        self._messages += 1
        elements: list[Element] = []
        try:
            face = self._state.read(message.payload, elements)
        except SeiError as error:
            named = {element.name: element.value for element in elements[:1]}.get("gfv_id")
            if isinstance(named, int) and self._gfv_id is not None and not self._is_followed(named):
                return  # A face that is not drawn.
            raise StreamError(f"{where}: {error}") from None
        if face.is_reserved or not self._is_followed(face.gfv_id):
            return
        if not self._pictures:
            raise StreamError(
                f"{where}: comes before any coded picture; the base picture is missing"
            )
        picture = self._pictures[-1]
        if face.base_picture_flag:
            if picture.payloads:
                raise StreamError(f"{where}: a second base message; its coded picture is missing")
            if isinstance(face.network, NetworkUri):
                self._model_uri = face.network.uri
        elif not picture.payloads:
            raise StreamError(f"{where}: a driven picture whose key picture has no base message")
        elif face.gfv_cnt != len(picture.payloads):
            raise StreamError(
                f"{where}: is number {face.gfv_cnt} of its key picture where number "
                f"{len(picture.payloads)} is due; messages are missing or out of order"
            )
        elif picture.schedule is not None and face.gfv_cnt > len(picture.schedule.sent):
            raise StreamError(
                f"{where}: is number {face.gfv_cnt} of its key picture, whose user data announces "
                f"{len(picture.schedule.sent)}"
            )
        picture.payloads.append(message.payload)

    def _is_followed(self, gfv_id: int) -> bool:
        """One face is drawn: that of the first message."""
        if self._gfv_id is None:
            self._gfv_id = gfv_id
        elif gfv_id != self._gfv_id and not self._other_faces:
            self._other_faces = True
            self._notes(f"{self._path}: carries several faces; only gfv_id {self._gfv_id} is drawn")
        return gfv_id == self._gfv_id

    def _last_is_complete(self) -> bool:
        """Whether the last picture cannot have been cut off.

        A picture with a base message is whole. One that is shown as coded is whole when something
        follows it: the start of another picture, or the end of the sequence that gfvc writes.
        """
        picture = self._pictures[-1]
        if picture.payloads or not picture.shown_as_coded:
            return bool(picture.payloads)
        return bool(self._waiting) or picture.units[-1].ends_sequence

    def finish(self) -> FaceStream:
        if not self._messages and not self._any_as_coded:
            raise StreamError(
                f"{self._path}: holds no generative face video messages; a player can show it"
            )
        assert self._codec is not None
        if self._pictures and not self._last_is_complete():
            incomplete = self._pictures.pop()
            self.cut_at = incomplete.units[-1].offset
        elif any(unit.precedes_picture for unit in self._waiting):
            self.cut_at = self._waiting[-1].offset
        if not self._pictures:
            raise StreamError(f"{self._path}: ends before the base message of its first picture")
        if self.cut_at is not None:
            self._cut_last_schedule()
            self._notes(
                f"{self._path}: cut off in the NAL unit at byte {self.cut_at}; "
                "what comes before is decoded"
            )
        return FaceStream(_CODECS[self._codec], self._pictures, self._rate, self._model_uri)

    def _cut_last_schedule(self) -> None:
        """Leave out the pictures after the last message that arrived."""
        last = self._pictures[-1]
        arrived = len(last.payloads) - 1
        if last.schedule is not None and arrived < len(last.schedule.sent):
            last.schedule = last.schedule.cut(arrived)
