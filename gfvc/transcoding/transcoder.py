"""Rewriting the face messages of a stream in another layout or precision.

Every NAL unit that holds no generative face video message is copied byte for byte; so is every
other message in those that do. A face message that is repeated is written once. Parameters are
translated from what a receiver reconstructs and rounded afresh for each picture, so that errors do
not add up along the clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from gfvc.contained_streams import as_byte_stream
from gfvc.errors import InputError, StreamError
from gfvc.output import check_writable
from gfvc.parameter_coding import restated
from gfvc.parameter_rows import (
    finest_precision,
    from_numbers,
    layout_of,
    same_shape,
    to_numbers,
    with_precision,
)
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.names import model_uri, repacked_uri, units_for
from gfvc.stream.sei_messages import stands_before_picture
from gfvc.stream.sei_rewriting import has_message, rewritable_sei, sei_data
from gfvc.stream.signatures import SignatureWatch
from gfvc.telling import Notes, unheard
from gfvc.transcoding.translators import (
    IdentityTranslator,
    Translator,
    require_source,
    target_layout,
)
from models import ParameterLayout, Registry, UnknownModelError, default_registry
from sei import (
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    Codec,
    FaceValues,
    GenerativeFaceVideo,
    GfvState,
    NalUnit,
    NetworkUri,
    SeiError,
    SeiMessage,
    SeiRbsp,
)
from sei.elements import Trace
from sei.face_messages import Network
from sei.limits import MAX_MESSAGES, ReadingLimit

_MAX_FACES = 1024  # of a stream; each is remembered to its end


@dataclass(frozen=True, slots=True)
class TranscodeSummary:
    """Messages that were rewritten, and bytes of the SEI NAL units they are in, before and after.

    `largest_change` of a number by rounding; None with a translator that changes numbers by itself.
    """

    messages: int
    bytes_before: int
    bytes_after: int
    largest_change: float | None


@dataclass(frozen=True, slots=True)
class _Face:
    """How the messages of a face are translated, from its base message on."""

    source: ParameterLayout
    target: ParameterLayout
    translator: Translator
    z_max_value: int


def transcode(
    source: Path,
    output: Path,
    layout: str = "same",
    *,
    precision: int | None = None,
    translator: Translator | None = None,
    codec: Codec | None = None,
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = unheard,
    max_messages: int = MAX_MESSAGES,
) -> TranscodeSummary:
    """Rewrite the face messages of a stream; the base layer stays as it is.

    The stream may be in a container; `output` may be an MP4 file then, with the sound of that.

    `layout` is one of `LAYOUTS` or the name of a model whose layout is meant; a `translator`
    brings its own. `precision` is the precision factor (1..32) of everything written; by
    default nothing is rounded, with a translator its target's precisions hold. Raises `InputError`
    when the parameters cannot be put into the layout, `StreamError` when a message cannot be read
    or translated, or there are more than `sei.limits.ReadingLimit` allows with `max_messages`,
    `OutputError`, `ModelError`; then `output` is as it was.
    """
    check_writable(output, force=force, sources=[source])
    known, limit = registry or default_registry(), ReadingLimit(max_messages)
    rewriter = _Rewriter(source, layout, precision, translator, known, limit)
    signatures = SignatureWatch()
    with (
        as_byte_stream(source, codec, notes) as stream,
        stream.rewritten(output, force=force) as temporary,
    ):
        units = signatures.passed(read_nal_units(stream.path, codec, max_messages))
        with temporary.open("wb") as file:
            for unit in units_for(output, units):
                rewritten = rewriter.rewritten(unit)
                if rewritten is not None:
                    file.write(rewritten.to_annex_b())
        if not rewriter.messages:
            raise StreamError(f"{source}: holds no generative face video messages")
    signatures.tell(notes, source, output)
    if rewriter.damaged:
        notes(
            f"{source}: {rewriter.damaged} damaged SEI NAL units without face messages are kept as "
            "they are"
        )
    if rewriter.enhancements:
        notes(
            f"{source}: {rewriter.enhancements} enhancement messages are kept as they are; they "
            "refer to the layout that the stream had"
        )
    return TranscodeSummary(
        rewriter.messages - rewriter.repeated,
        rewriter.bytes_before,
        rewriter.bytes_after,
        rewriter.largest_change if translator is None else None,
    )


@dataclass(slots=True)
class _Rewriter:
    """The state of reading and of writing the face messages of a stream."""

    path: Path
    layout: str
    precision: int | None
    translator: Translator | None
    registry: Registry
    limit: ReadingLimit
    reader: GfvState = field(default_factory=GfvState)
    writer: GfvState = field(default_factory=GfvState)
    faces: dict[int, _Face] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)  # faces whose base message named the model by URI
    messages: int = 0
    repeated: int = 0
    enhancements: int = 0
    damaged: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    largest_change: float = 0.0

    def rewritten(self, unit: NalUnit) -> NalUnit | None:
        """A NAL unit with its face messages translated, None when none is left; others as is."""
        if not unit.is_sei:
            return unit
        try:
            rbsp = self._with_faces(unit)
            if rbsp is None:
                return unit
            self.bytes_before += unit.size
            messages = tuple(self._translated(list(rbsp.messages), unit))
            if not messages:
                return None
            changed = replace(unit, data=sei_data(unit, replace(rbsp, messages=messages)))
        except SeiError as error:
            raise StreamError(f"{self.path}: SEI NAL unit at byte {unit.offset}: {error}") from None
        self.bytes_after += changed.size
        return changed

    def _with_faces(self, unit: NalUnit) -> SeiRbsp | None:
        """Messages of an SEI NAL unit; None when no face message is among them, damaged or not."""
        try:
            rbsp = rewritable_sei(unit)
        except (SeiError, StreamError) as error:
            if has_message(unit, frozenset({GENERATIVE_FACE_VIDEO})):
                raise StreamError(
                    f"{self.path}: SEI NAL unit at byte {unit.offset}: {error}"
                ) from None
            self.damaged += 1
            return None
        faces = (message.payload_type == GENERATIVE_FACE_VIDEO for message in rbsp.messages)
        return rbsp if any(faces) else None

    def _translated(self, messages: list[SeiMessage], unit: NalUnit) -> Iterator[SeiMessage]:
        for message in messages:
            self.enhancements += message.payload_type == GENERATIVE_FACE_VIDEO_ENHANCEMENT
            if message.payload_type != GENERATIVE_FACE_VIDEO:
                yield message
                continue
            where = f"{self.path}: message {self.messages} (NAL unit at byte {unit.offset})"
            self.messages += 1
            self.limit.take_message(unit)
            try:
                payload = self._payload(message.payload, unit)
                if payload is not None:
                    yield SeiMessage(GENERATIVE_FACE_VIDEO, payload)
            except (StreamError, InputError) as error:
                raise type(error)(f"{where}: {error}") from None

    def _payload(self, payload: bytes, unit: NalUnit) -> bytes | None:
        """The payload that says the same in the other layout; None of a repeated message."""
        elements = Trace()
        message = self.reader.read(payload, elements)
        self.limit.take_elements(len(elements))
        if message.is_reserved:
            return payload
        if self.reader.repeated:
            self.repeated += 1
            return None
        misplaced = stands_before_picture(unit)
        if misplaced and not unit.layer_id:
            raise StreamError(misplaced)
        values = self.reader.values
        if message.base_picture_flag:
            if len(self.faces) == _MAX_FACES and message.gfv_id not in self.faces:
                raise StreamError(f"opens another face; {_MAX_FACES} are translated at most")
            self.faces[message.gfv_id] = self._open_face(message, values)
        face = self.faces.get(message.gfv_id)
        if face is None:
            raise StreamError("comes before any base message of its face")
        translated = self._translated_values(values, face)
        return restated(
            self.writer,
            message,
            translated,
            gfv_cnt=message.gfv_cnt,
            network=self._network(message, face),
            z_max_value=face.z_max_value,
        )

    def _translated_values(self, values: FaceValues, face: _Face) -> FaceValues:
        if values.keypoints is None and not values.matrices:
            return values
        found, numbers = layout_of(values), to_numbers(values)
        if same_shape(found, face.source):
            target, numbers = face.target, face.translator.translate(numbers)
        else:
            target = _part(found, face)
        translated = from_numbers(numbers, target)
        change = float(abs(to_numbers(translated) - numbers).max())
        self.largest_change = max(self.largest_change, change)
        return translated

    def _open_face(self, message: GenerativeFaceVideo, values: FaceValues) -> _Face:
        if values.keypoints is None and not values.matrices:
            raise StreamError("is a base message without keypoints and matrices")
        source = layout_of(values)
        if self.translator is not None:
            require_source(self.translator, source)
            translator, target = self.translator, self.translator.target
        else:
            target = target_layout(self.layout, source, self.registry)
            if self.layout != "same":
                target = with_precision(target, finest_precision(source))
            translator = IdentityTranslator(source, target)
        if self.precision is not None:
            target = with_precision(target, self.precision)
        received = message.coordinates.layout if message.coordinates is not None else None
        z_max_value = received.z_max_value if received is not None else None
        return _Face(source, target, translator, z_max_value or 1)

    def _network(self, message: GenerativeFaceVideo, face: _Face) -> Network | None:
        """What a base message says of the model; other messages say nothing."""
        network = message.network
        changes = face.translator.target_uri or not same_shape(face.source, face.target)
        if not message.base_picture_flag or not changes:
            return network
        if network is None and message.gfv_id in self.named:
            return None  # That of a predicted coded picture, which keeps the model.
        if not isinstance(network, NetworkUri):
            raise StreamError(
                "names no model by URI, so that nothing could tell a receiver of another layout"
            )
        self.named.add(message.gfv_id)
        if face.translator.target_uri is not None:
            return replace(network, uri=face.translator.target_uri)
        own = model_uri(network.uri)
        return replace(network, uri=own if self._is_own(own, face.target) else repacked_uri(own))

    def _is_own(self, uri: str, layout: ParameterLayout) -> bool:
        """Whether a layout is the one that a model has by itself."""
        try:
            card = self.registry.find_uri(uri).card
        except UnknownModelError:
            return False
        return same_shape(card.layout, layout)


def _part(found: ParameterLayout, face: _Face) -> ParameterLayout:
    """Target layout of a message that leaves keypoints or matrices out.

    What is left out is for the receiver to interpolate, so that it stays out where the target has
    the same parts. Raises `StreamError` where it has others.
    """
    source = face.source
    points = (found.keypoints, found.dimensions)
    fits = not found.keypoints or points == (source.keypoints, source.dimensions)
    if not fits or found.matrices not in ((), source.matrices):
        raise StreamError(
            "carries other parameters than its base message, which cannot be translated"
        )
    same = isinstance(face.translator, IdentityTranslator) and same_shape(source, face.target)
    if not same:
        raise StreamError(
            "leaves keypoints or matrices out, which another layout cannot; encode with --without "
            "separate-parts for that"
        )
    return replace(face.target, keypoints=found.keypoints, matrices=found.matrices)
