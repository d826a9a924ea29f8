"""The coded pictures of a stream decoded one after the other, each with the pictures it drives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain, groupby, pairwise
from pathlib import Path

from base_codec_adapters import (
    DEFAULT_TIMEOUT,
    LimitExceededError,
    OutputInvalidError,
    ProgramFailedError,
    StreamInvalidError,
)
from base_codec_adapters.active_sets import ActiveSets
from base_codec_adapters.byte_stream import nal_units
from gfvc.base_colour import ColourWatch
from gfvc.base_layer import decode_base_layer
from gfvc.colour import UnknownColourError
from gfvc.decoded_pool import AsCoded, CodedPicture, DecodedPool, Span
from gfvc.driven_parameters import base_parameters, parameters_of_pictures
from gfvc.errors import StreamError
from gfvc.face_square import RESTORE_SQUARE, lost_square
from gfvc.further_faces import FaceOver, FurtherFaces
from gfvc.limits import MAX_AREA
from gfvc.options.decoding import BaseLayerOptions
from gfvc.post_filtering import PostFiltering
from gfvc.scaling import enlarged
from gfvc.stream.containers import is_container
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.names import model_uri
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.shown_size import ShownSize, shown_size_fault
from gfvc.stream.skipped_pictures import SkippedPictures
from gfvc.telling import Notes, unheard
from models import (
    AnimationModel,
    CheckpointError,
    FaceTrackerError,
    ModelError,
    RegisteredModel,
    Registry,
    UnknownModelError,
)
from models.contract import BegunPicture, Picture
from models.parallel import map_in_order
from models.post_filter import FACES, KNOWN, enlargement
from sei import Codec, split_annex_b

# What a stream without our user data is shown at; H.274 has no rate for driven pictures.
DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True, slots=True)
class DecodedUnit:
    """A coded picture, decoded, and all pictures that it drives: spans in output order.

    The spans are those of the first face, to be used one by one, and before the next unit. `over`
    are the further faces in their pictures. `shown_size` is that of the output pictures, None where
    it is as they are coded.
    """

    unit: PictureUnit
    picture: Picture
    spans: Iterator[Span]
    over: tuple[FaceOver, ...] = ()
    shown_size: ShownSize | None = None

    def begin(self) -> Iterator[BegunPicture]:
        """The output pictures, with all faces, begun; in place of the spans."""
        for span in self.spans:
            for picture in span.begin():
                whole = picture
                for face in self.over:
                    whole = face.over(whole)
                yield whole if self.shown_size is None else partial(self._shown, whole)

    def _shown(self, whole: BegunPicture) -> Picture:
        assert self.shown_size is not None
        return enlarged(whole(), self.shown_size)


def find_model(source: Path, stream: FaceStream, registry: Registry) -> RegisteredModel:
    """The model that a stream asks for; raise `StreamError` when there is none."""
    if stream.model_uri is None:
        raise StreamError(
            f"{source}: its base message names no model (no gfv_nn_uri), so nothing here can "
            "tell how to draw its pictures"
        )
    try:
        return registry.find_uri(model_uri(stream.model_uri))
    except UnknownModelError as error:
        raise StreamError(f"{source}: {error}; gfvc models lists what is installed") from None


def check_restrictions(
    source: Path, stream: FaceStream, options: BaseLayerOptions, use: str
) -> None:
    """Raise `StreamError` when a stream's content must not be used to draw faces; `use` says how.

    Unless the options say that whoever asks has the right to.
    """
    if stream.restricted_uses and not options.ignore_restrictions:
        kinds = ", ".join(map(str, stream.restricted_uses))
        raise StreamError(
            f"{source}: restricts what artificial intelligence may do with its content "
            f"(aur_restriction {kinds}), and {use}; with the right to do that, add "
            "--ignore-restrictions"
        )


def check_rate(source: Path, stream: FaceStream, asked: Fraction | None) -> None:
    """Raise `StreamError` when a stream states several rates, and none is asked for."""
    change = stream.rate_change
    if asked is None and change is not None:
        raise StreamError(
            f"{source}: states {stream.rate} pictures per second, and {change.rate} from picture "
            f"{change.picture} (byte {change.at}) on; split it there, or give one rate for all of "
            "it with --fps"
        )


def picture_rate(
    source: Path, stream: FaceStream, asked: Fraction | None, notes: Notes
) -> Fraction:
    """Pictures a second: what is asked for, or the stream states; `notes` is told of neither.

    Raises `StreamError` as `check_rate` does.
    """
    check_rate(source, stream, asked)
    if asked is None and stream.rate is None:
        notes(f"{source}: states no picture rate; shown at {float(DEFAULT_RATE):g} a second")
    return asked or stream.rate or DEFAULT_RATE


def decode_units(
    source: Path,
    stream: FaceStream,
    model: AnimationModel | None,
    timeout: float = DEFAULT_TIMEOUT,
    notes: Notes = unheard,
    area: int = MAX_AREA,
) -> Iterator[DecodedUnit]:
    """All coded pictures of a stream, uint8 RGB [height, width, 3], of one size.

    `model` may be None for a stream without face messages. `timeout` is in seconds for the base
    decoder and the coded pictures that it decodes at a time, `area` the most luma samples of a
    coded picture, also when it is enlarged, and of one as it is shown. `notes` is told how many
    pictures lack the key picture that they were made from. Raises `StreamError` when coded pictures
    cannot be decoded, are larger, or change their size.
    """
    repack = stream.is_repacked
    pool: DecodedPool | None = None
    further: FurtherFaces | None = None
    coded = _filtered(source, _coded_pictures(source, stream, timeout, area, notes), notes)
    for current, following in pairwise(chain(coded, [None])):
        assert current is not None
        unit, key = current
        if unit.starts_sequence:
            further = None
            if pool is not None:
                pool.start_sequence()
        if unit.is_alone:
            shown = key if pool is None else pool.shown(unit, key)
            yield DecodedUnit(unit, key, iter([AsCoded(shown)]), (), stream.shown_size)
            continue
        assert model is not None
        _check_squares(source, unit, key.shape[1], key.shape[0])
        pool = pool or DecodedPool(model)
        further = further or FurtherFaces(model, source, repack=repack)
        parameters = base_parameters(unit, model.layout, source, repack=repack)
        own = CodedPicture(unit, key, parameters, unit.control_grids)
        later = None
        if following is not None and unit.shares_driven_with(following[0]):
            of_later = base_parameters(following[0], model.layout, source, repack=repack)
            later = CodedPicture(*following, of_later)
        parameters_of = partial(parameters_of_pictures, unit, model.layout, source, repack=repack)
        spans = _of_stream(source, pool.spans(own, parameters_of, later))
        over = further.over(current, following)
        yield DecodedUnit(unit, key, spans, over, stream.shown_size)
    if pool is not None and pool.missing:
        notes(
            f"{source}: {pool.missing} pictures are to be made from an earlier key picture that is "
            "missing; they are made from the last one, and look a little wrong"
        )


def _of_stream(source: Path, spans: Iterator[Span]) -> Iterator[Span]:
    """The spans; a model that cannot draw such pictures is an error of the stream."""
    try:
        yield from spans
    except (CheckpointError, FaceTrackerError):
        raise  # Files of the installation, whatever the stream.
    except ModelError as error:
        raise StreamError(f"{source}: {error}") from error


def _check_squares(source: Path, unit: PictureUnit, width: int, height: int) -> None:
    """Raise `StreamError` where faces would be drawn outside of the picture, or bent all over it.

    A model draws squares, and whatever is not square was coded with a face square.
    """
    if unit.face_square is None and width != height:
        raise StreamError(f"{source}: {lost_square(width, height)}; {RESTORE_SQUARE}")
    _check_within(source, unit, width, height)


def _check_within(source: Path, unit: PictureUnit, width: int, height: int) -> None:
    """Raise `StreamError` where face squares are not within the picture."""
    for square in unit.face_squares:
        if not square.fits(width, height):
            raise StreamError(
                f"{source}: its face square, {square}, lies outside of its pictures of "
                f"{width}x{height}"
            )


def check_undecoded(source: Path, stream: FaceStream, registered: RegisteredModel | None) -> None:
    """Raise `StreamError` where `decode_units` would, as far as parameter sets tell.

    That is where sizes or colours change, and where a face has no square in them. Whoever needs
    no coded picture calls it, so that what is refused does not depend on what is asked of a stream.
    """
    _check_fault(source, stream)
    sets = ActiveSets(stream.codec)
    for unit in _of_one_colour(source, stream, stream.coded_units):
        for nal in nal_units(bytes(unit.coded), stream.codec):
            sets.see(nal)
        if sets.active is None:
            continue
        scale = enlargement(unit.post_filter)
        width, height = (
            scale * side for side in (sets.active.format.width, sets.active.format.height)
        )
        _check_shown_size(source, stream, width, height)
        if registered is not None and not unit.is_alone:
            _check_squares(source, unit, width, height)
        if unit.post_filter == FACES:
            _check_within(source, unit, width, height)


def _check_shown_size(
    source: Path, stream: FaceStream, width: int, height: int, area: int | None = None
) -> None:
    """Raise `StreamError` where coded pictures of a size cannot be shown as the stream says.

    They are to have no more than so many luma samples then.
    """
    shown = stream.shown_size
    fault = shown_size_fault(shown, width, height)
    if fault is not None:
        raise StreamError(f"{source}: {fault}")
    if shown is not None and area is not None and shown.width * shown.height > area:
        raise StreamError(
            f"{source}: its pictures are shown at {shown}, more than {area} luma samples; if that "
            "is meant, allow more with --max-area"
        )


def _check_fault(source: Path, stream: FaceStream) -> None:
    """Raise `StreamError` where parameter sets or user data say what cannot be decoded."""
    if stream.fault is not None:
        raise StreamError(f"{source}: its coded pictures cannot be decoded: {stream.fault}")
    if stream.shown_size_change is not None:
        change = stream.shown_size_change.told(stream.shown_size)
        raise StreamError(
            f"{source}: its user data change the size that pictures are shown at, {change}; "
            "pictures of one size only can be decoded: split it there"
        )


def _skipped(stream: FaceStream) -> int:
    """How many coded pictures decoders skip."""
    skipped = SkippedPictures()
    return sum(
        skipped.sees_one(nal)
        for unit in stream.coded_units
        for nal in split_annex_b(bytes(unit.coded), Codec(stream.codec))
    )


def _of_one_colour(
    source: Path, stream: FaceStream, units: Sequence[PictureUnit]
) -> Iterator[PictureUnit]:
    """The units; raise `StreamError` where the colours that they state change, or are not known."""
    watch = ColourWatch(stream.codec)
    for number, unit in enumerate(units):
        try:
            change = watch.see(bytes(unit.coded))
        except UnknownColourError as error:
            raise StreamError(f"{source}: {error}") from None
        if change is not None:
            raise StreamError(
                f"{source}: its colours change at coded picture {number} ({change}); pictures of "
                "one kind only can be decoded: split it there"
            )
        yield unit


def _filtered(
    source: Path, coded: Iterator[tuple[PictureUnit, Picture]], notes: Notes
) -> Iterator[tuple[PictureUnit, Picture]]:
    """Coded pictures after the post-filter that their stream asks for, several at the same time."""
    checked = _with_known_filters(source, coded, notes)
    # Those that are not filtered do not wait for others, nor do large ones in memory.
    for threads, alike in groupby(checked, _threads):
        yield from map_in_order(_after_filter, alike, threads)


def _with_known_filters(
    source: Path, coded: Iterator[tuple[PictureUnit, Picture]], notes: Notes
) -> Iterator[tuple[PictureUnit, Picture]]:
    """The same pictures; `notes` is told once of a filter that is not known.

    Raises `StreamError` where squares that are to be filtered are not within the picture.
    """
    told = False
    for unit, picture in coded:
        if unit.post_filter not in (0, *KNOWN) and not told:
            told = True
            notes(
                f"{source}: asks for post-filter {unit.post_filter}, which this version of gfvc "
                "does not have; its coded pictures are used as they are"
            )
        if unit.post_filter == FACES:
            _check_within(source, unit, picture.shape[1], picture.shape[0])
        yield unit, picture


def _filtering(unit: PictureUnit) -> PostFiltering:
    return PostFiltering(unit.post_filter, unit.face_squares)


def _threads(coded: tuple[PictureUnit, Picture]) -> int | None:
    """In how many threads a picture and those like it are filtered; None for as many as suit."""
    unit, picture = coded
    filtering = _filtering(unit)
    return filtering.threads(picture.shape[1], picture.shape[0]) if filtering else 1


def _after_filter(coded: tuple[PictureUnit, Picture]) -> tuple[PictureUnit, Picture]:
    unit, picture = coded
    return unit, _filtering(unit)(picture, unit.post_filter_qp)


def _coded_pictures(
    source: Path, stream: FaceStream, timeout: float, area: int, notes: Notes
) -> Iterator[tuple[PictureUnit, Picture]]:
    """Each coded picture with what belongs to it."""

    def tell(text: str) -> None:
        notes(f"{source}: {text}")

    _check_fault(source, stream)
    decoded = decode_base_layer(stream.codec, stream.base_layer_parts(), timeout, area, tell)
    units = _of_one_colour(source, stream, stream.units)
    size: tuple[int, int] | None = None
    try:
        for number, (picture, unit) in enumerate(zip(decoded, units, strict=True)):
            scale = enlargement(unit.post_filter)
            height, width = (scale * side for side in picture.shape[:2])
            if width * height > area:
                raise StreamError(
                    f"{source}: its coded pictures are enlarged to {width}x{height}, more than "
                    f"{area} luma samples; if that is meant, allow more with --max-area"
                )
            if size not in (None, (width, height)):
                assert size is not None
                raise StreamError(
                    f"{source}: its pictures change from {size[0]}x{size[1]} to {width}x{height} "
                    f"at coded picture {number}; pictures of one size only can be decoded"
                )
            if size is None:
                _check_shown_size(source, stream, width, height, area)
            size = width, height
            yield unit, picture
    except UnknownColourError as error:
        raise StreamError(f"{source}: {error}") from None
    except (StreamInvalidError, ProgramFailedError, OutputInvalidError) as error:
        reason = str(error).splitlines()[0]
        if isinstance(error, LimitExceededError) and error.limit == "area":
            reason += "; if that is meant, allow more with --max-area"
        elif stream.lacking is not None:
            reason = stream.lacking
        elif skipped := _skipped(stream):
            reason += (
                f"; {skipped} of them refer to what comes before the point where decoding starts, "
                "and are skipped (RASL, or no random access point came): start the stream at an "
                "IDR picture"
            )
        elif stream.lost is not None:
            reason += (
                f"; coded pictures are missing, the first {stream.lost}: those that come after "
                "them refer to them, up to the next IDR picture"
            )
        elif isinstance(error, OutputInvalidError | ProgramFailedError) and is_container(source):
            reason += (
                "; where containers of other settings were put together, their parameter sets are "
                "lost: put the byte streams in them together"
            )
        raise StreamError(f"{source}: its coded pictures cannot be decoded: {reason}") from error
