"""From a VVC or HEVC stream with generative face video messages to pictures."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from base_codec_adapters import (
    DEFAULT_TIMEOUT,
    LimitExceededError,
    OutputInvalidError,
    ProgramFailedError,
    StreamInvalidError,
)
from gfvc.base_layer import Picture, decode_base_layer
from gfvc.credentials import Credentials, ManifestSigner
from gfvc.decoded_pool import CodedPicture, DecodedPool
from gfvc.decoded_sound import add_sound, sound_to_keep
from gfvc.driven_pictures import base_parameters, parameters_of_pictures
from gfvc.errors import OutputError, StreamError
from gfvc.limits import MAX_AREA
from gfvc.options.decoding import DecodeOptions
from gfvc.output import check_writable, replaced_when_complete
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.marking import GENERATED
from gfvc.stream.names import is_marked, model_uri
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.reader import read_face_stream
from gfvc.video_writer import is_folder_output, open_writer
from models import (
    AnimationModel,
    RegisteredModel,
    Registry,
    UnknownModelError,
    default_registry,
)

# What a stream without our user data is shown at; H.274 has no rate for driven pictures.
DEFAULT_RATE = Fraction(25)

# Name of the model in the summary of a stream without face messages.
NO_MODEL = "none"

Notes = Callable[[str], None]
Progress = Callable[[int, "int | None"], None]


@dataclass(frozen=True, slots=True)
class DecodeSummary:
    """What was decoded.

    `model` is "none" when no picture has face messages. `pictures_as_coded` counts the pictures
    without: ordinary video, which is shown as the base codec decodes it.
    """

    frames: int
    rate: Fraction
    width: int
    height: int
    model: str
    seconds: float
    pictures_as_coded: int = 0

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc decode --json` prints."""
        return {
            "frames": self.frames,
            "fps": float(self.rate),
            "width": self.width,
            "height": self.height,
            "model": self.model,
            "seconds": self.seconds,
            "pictures_as_coded": self.pictures_as_coded,
        }


def _ignore(*_: object) -> None:
    """Default for notes and progress."""


def decode(
    source: Path,
    output: Path,
    options: DecodeOptions = DecodeOptions(),
    *,
    force: bool = False,
    credentials: Credentials | None = None,
    registry: Registry | None = None,
    notes: Notes = _ignore,
    progress: Progress = _ignore,
) -> DecodeSummary:
    """Decode a stream into a video file or a folder of PNG files.

    Where faces are drawn the output says so in its metadata (not in .y4m, which has none), by the
    stream's mark if it has one. A stream that restricts the use of its content by artificial
    intelligence is then refused, but with `ignore_restrictions`. With `credentials` a signed
    manifest in an MP4 file says so, too (`gfvc.credentials`).

    `notes` is told what a user should know, such as that the stream was cut off; `progress` gets
    the number of pictures done and the total. Raises `GfvcError`, `SeiError`, `ModelError` or
    `BaseCodecError`; then `output` is as it was.
    """
    started = time.perf_counter()
    check_writable(output, force=force, sources=[source])
    folder_of = frozenset({".png"}) if is_folder_output(output) else None
    signer = None if credentials is None else ManifestSigner(credentials, source, output)
    with replaced_when_complete(
        output, force=force, folder_of=folder_of, sources=[source]
    ) as temporary:
        stream = read_face_stream(source, notes, options.codec, options.limits)
        rate = options.rate or stream.rate or DEFAULT_RATE
        if stream.rate is None and options.rate is None:
            notes(f"{source}: states no picture rate; shown at {float(rate):g} pictures a second")
        name, model = NO_MODEL, None
        if stream.draws:
            _check_restrictions(source, stream, options)
            registered = find_model(source, stream, registry or default_registry())
            name, model = registered.card.name, registered.load(options.runtime)
        elif signer is not None:
            raise StreamError(
                f"{source}: is all ordinary video; nothing is generated that credentials could "
                "tell of"
            )
        if stream.pictures_as_coded:
            notes(
                f"{source}: {stream.pictures_as_coded} of {stream.pictures} pictures are ordinary "
                "video, shown as coded"
            )
        count, total = 0, stream.pictures
        width = height = 0
        in_time = stream.rate is None or rate == stream.rate
        sound = sound_to_keep(source, output, options.audio, notes, in_time=in_time)
        mark = (stream.mark or GENERATED) if stream.draws else None
        with open_writer(temporary, rate, mark) as writer:
            pictures = decode_pictures(
                source, stream, model, options.timeout, notes, options.max_area
            )
            for picture in pictures:
                height, width = picture.shape[:2]
                if not count:
                    _check_output(output, writer.least_size(width, height) * total, options)
                writer.write(picture)
                _check_output(output, writer.size, options)
                count += 1
                progress(count, total)
        _check_output(output, writer.size, options)
        if sound is not None:
            silent = temporary.with_name("silent")
            temporary.rename(silent)
            add_sound(silent, source, temporary, sound)
        if signer is not None and mark is not None:
            unsigned = temporary.with_name("unsigned")
            temporary.rename(unsigned)
            signer.sign(unsigned, temporary, stream.codec, mark)
        if sound is not None or signer is not None:
            _check_output(output, temporary.stat().st_size, options)
    seconds = time.perf_counter() - started
    return DecodeSummary(count, rate, width, height, name, seconds, stream.pictures_as_coded)


def _check_output(output: Path, size: int, options: DecodeOptions) -> None:
    """Raise `OutputError` when an output takes, or will take, more bytes than it may."""
    if size > options.max_size:
        raise OutputError(
            f"{output}: takes more than {options.max_size} bytes; if that is meant, allow more "
            "with --max-size"
        )


def _check_restrictions(source: Path, stream: FaceStream, options: DecodeOptions) -> None:
    """Raise `StreamError` when a stream's content must not be used for drawing faces."""
    if stream.restricted_uses and not options.ignore_restrictions:
        kinds = ", ".join(map(str, stream.restricted_uses))
        raise StreamError(
            f"{source}: restricts what artificial intelligence may do with its content "
            f"(aur_restriction {kinds}), and its faces would be drawn so; with the right to do "
            "that, add --ignore-restrictions"
        )


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


def decode_pictures(
    source: Path,
    stream: FaceStream,
    model: AnimationModel | None,
    timeout: float = DEFAULT_TIMEOUT,
    notes: Notes = _ignore,
    area: int = MAX_AREA,
) -> Iterator[Picture]:
    """All pictures of a stream in output order, uint8 RGB [height, width, 3], of one size.

    `model` may be None for a stream without face messages. `timeout` is in seconds for the base
    decoder and the coded pictures that it decodes at a time, `area` the most luma samples of a
    coded picture. `notes` is told how many pictures lack the key picture that they were made from.
    Raises `StreamError` when coded pictures cannot be decoded, are larger, or change their size.
    """
    marked = stream.model_uri is not None and is_marked(stream.model_uri)
    pool: DecodedPool | None = None
    coded = _coded_pictures(source, stream, timeout, area)
    for current, following in pairwise(chain(coded, [None])):
        assert current is not None
        unit, key = current
        if unit.is_alone:
            yield key
            continue
        assert model is not None
        pool = pool or DecodedPool(model)
        own = CodedPicture(unit, key, base_parameters(unit, model.layout, source, marked=marked))
        later = None
        if following is not None and _is_later_reference(unit, following[0]):
            of_later = base_parameters(following[0], model.layout, source, marked=marked)
            later = CodedPicture(*following, of_later)
        parameters_of = partial(parameters_of_pictures, unit, model.layout, source, marked=marked)
        yield from pool.draw(own, parameters_of, later)
    if pool is not None and pool.missing:
        notes(
            f"{source}: {pool.missing} pictures are to be made from an earlier key picture that is "
            "missing; they are made from the last one, and look a little wrong"
        )


def _is_later_reference(unit: PictureUnit, following: PictureUnit) -> bool:
    """Whether the pictures that follow a coded picture are drawn from the next one, too."""
    return unit.has_later_reference and following.sequence is unit.sequence


def _coded_pictures(
    source: Path, stream: FaceStream, timeout: float, area: int
) -> Iterator[tuple[PictureUnit, Picture]]:
    """Each coded picture with what belongs to it."""
    waiting: deque[PictureUnit] = deque()

    def parts() -> Iterator[tuple[bytes, int]]:
        for part in stream.parts():
            waiting.extend(part)
            yield b"".join(unit.coded for unit in part), len(part)

    size: tuple[int, int] | None = None
    number = 0
    try:
        for picture in decode_base_layer(stream.codec, parts(), timeout, area):
            height, width = picture.shape[:2]
            if size not in (None, (width, height)):
                assert size is not None
                raise StreamError(
                    f"{source}: its pictures change from {size[0]}x{size[1]} to {width}x{height} "
                    f"at coded picture {number}; pictures of one size only can be decoded"
                )
            size = width, height
            number += 1
            yield waiting.popleft(), picture
    except (StreamInvalidError, ProgramFailedError, OutputInvalidError) as error:
        reason = str(error).splitlines()[0]
        if isinstance(error, LimitExceededError) and error.limit == "area":
            reason += "; if that is meant, allow more with --max-area"
        raise StreamError(f"{source}: its coded pictures cannot be decoded: {reason}") from error
