"""From a VVC or HEVC stream with generative face video messages to pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from base_codec_adapters import DEFAULT_TIMEOUT
from gfvc.credentials import Credentials, ManifestSigner
from gfvc.decoded_sound import add_sound, sound_to_keep
from gfvc.decoded_units import check_restrictions, decode_units, find_model, picture_rate
from gfvc.errors import OutputError, StreamError
from gfvc.given import (
    check_call,
    check_kinds_but_none,
    input_file,
    output_file_or_folder,
)
from gfvc.limits import MAX_AREA
from gfvc.options.decoding import DecodeOptions
from gfvc.output import StrPath, check_writable, replaced_when_complete
from gfvc.queued_writer import QueuedWriter
from gfvc.stream.container_times import joined_parts, tell_of_times
from gfvc.stream.containers import is_container
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.marking import GENERATED
from gfvc.stream.reader import read_face_stream
from gfvc.stream.shown_shape import tell_of_shape
from gfvc.telling import Notes, Progress, passes_on, unheard
from gfvc.video.left_out import tell_of_other_sound, tell_of_the_rest
from gfvc.video_writer import PICTURE_NAMES, is_folder_output, open_writer
from models import AnimationModel, Registry, default_registry
from models.contract import BegunPicture, Picture
from models.parallel import finish, one_blas_thread

# Name of the model in the summary of a stream without face messages.
NO_MODEL = "none"


@dataclass(frozen=True, slots=True)
class DecodeSummary:
    """What was decoded.

    `frames` are output pictures, `rate` of them a second, of `width` and `height` in pixels;
    `seconds` are wall time. `model` is "none" when no picture has face messages.
    `pictures_as_coded` counts the pictures without: ordinary video, which is shown as the base
    codec decodes it.
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


@passes_on
def decode(
    source: StrPath,
    output: StrPath,
    options: DecodeOptions = DecodeOptions(),
    *,
    force: bool = False,
    credentials: Credentials | None = None,
    registry: Registry | None = None,
    notes: Notes = unheard,
    progress: Progress = unheard,
) -> DecodeSummary:
    """Decode a stream into a video file or a folder of PNG files.

    The suffix of `output` says how: .mp4 (H.264), .mkv (FFV1, lossless) or .y4m (raw); without one
    it is a folder. `force` replaces `output` where it exists, a folder only if gfvc wrote all in
    it; models come from `registry`, those that are installed by default.

    Where faces are drawn the output says so in its metadata (not in .y4m, which has none), by the
    stream's mark if it has one. A stream that restricts the use of its content by artificial
    intelligence is then refused, but with `ignore_restrictions`. With `credentials` a signed
    manifest in an MP4 file says so, too (`gfvc.credentials`).

    `notes` is told what a user should know, such as that the stream was cut off; `progress` gets
    the number of pictures done and the total. Raises `GfvcError`, `SeiError`, `ModelError` or
    `BaseCodecError`, and `TypeError` for what is none of these; then `output` is as it was.
    """
    started = time.perf_counter()
    source, output = input_file(source), output_file_or_folder(output)
    check_call((options, DecodeOptions), force, registry, notes=notes, progress=progress)
    check_kinds_but_none(credentials=(credentials, Credentials))
    sources = [source]
    if credentials is not None:
        credentials = Credentials(*map(input_file, (credentials.certificates, credentials.key)))
        sources += [credentials.certificates, credentials.key]
    in_folder = is_folder_output(output)
    check_writable(output, force=force, sources=sources, folder=in_folder)
    folder_of = PICTURE_NAMES if in_folder else None
    signer = None if credentials is None else ManifestSigner(credentials, source, output)
    with replaced_when_complete(
        output, force=force, folder_of=folder_of, sources=sources
    ) as temporary:
        stream = read_face_stream(source, notes, options.codec, options.max_pictures)
        rate = picture_rate(source, stream, options.rate, notes)
        name, model = NO_MODEL, None
        if stream.draws:
            check_restrictions(source, stream, options, "its faces would be drawn so")
            registered = find_model(source, stream, registry or default_registry())
            name, model = registered.card.name, registered.load(options.runtime)
        elif signer is not None:
            raise StreamError(
                f"{source}: is shown as coded throughout; nothing is generated that credentials "
                "could tell of"
            )
        if stream.pictures_as_coded:
            notes(
                f"{source}: {stream.pictures_as_coded} of {stream.pictures} pictures are ordinary "
                "video, shown as coded"
            )
        count, total = 0, stream.pictures
        width = height = 0
        tell_of_shape(source, stream.codec, notes)
        in_time = stream.rate is None or (rate == stream.rate and stream.rate_change is None)
        parts = [] if options.audio == "none" else joined_parts(source, stream, rate)
        sound = sound_to_keep(source, output, options.audio, notes, in_time=in_time, parts=parts)
        if sound is not None:
            tell_of_other_sound(source, notes)
        if is_container(source):
            # Who gives a rate does not want the container's times, but where sound goes by them.
            if sound is not None or options.rate is None:
                tell_of_times(source, stream, rate, notes, with_sound=sound is not None)
            tell_of_the_rest(source, notes)
        mark = (stream.mark or GENERATED) if stream.draws else None
        # Linear algebra is of small matrices, for which threads would only wait.
        with (
            one_blas_thread(),
            QueuedWriter(open_writer(temporary, rate, mark)) as writer,
        ):
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
            add_sound(silent, source, temporary, sound, parts)
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


def decode_pictures(
    source: Path,
    stream: FaceStream,
    model: AnimationModel | None,
    timeout: float = DEFAULT_TIMEOUT,
    notes: Notes = unheard,
    area: int = MAX_AREA,
) -> Iterator[Picture]:
    """All pictures of a stream in output order, uint8 RGB [height, width, 3], of one size.

    Arguments and errors are those of `gfvc.decoded_units.decode_units`.
    """

    def begun() -> Iterator[BegunPicture]:
        for decoded in decode_units(source, stream, model, timeout, notes, area):
            yield from decoded.begin()

    # All in one row: what a coded picture drives is still drawn while the next one is prepared.
    return finish(begun())
