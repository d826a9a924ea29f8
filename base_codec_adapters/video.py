"""Whole videos through a conventional codec, for comparison with one: all pictures, all tools.

The encoders of `base_codec_adapters.registry` code the base layer: one sequence of VVC or HEVC, by
any of several programs, at the QPs that are asked for, and what comes out is checked as a stream.
These do what a user of a codec would: they code a whole video, in AV1 too, into a file, by the
encoder's own preset and scale of QP or CRF, and tell the bits of each picture. All are run through
ffmpeg.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from base_codec_adapters.byte_stream import PictureFormat
from base_codec_adapters.decoded_pictures import DecodedPictures
from base_codec_adapters.errors import (
    RequestInvalidError,
    UnknownAdapterError,
)
from base_codec_adapters.ffmpeg import (
    COMMON_OPTIONS,
    PIXEL_FORMATS,
    find_with,
    raw_video_options,
)
from base_codec_adapters.pictures import (
    Picture420,
    raw_picture_size,
    write_raw_video,
)
from base_codec_adapters.requests import ProgramInfo, Structure
from base_codec_adapters.runner import Outcome, invalid_output, run_checked
from base_codec_adapters.temporary import temporary_folder

VIDEO_TIMEOUT = 3600.0
"""Seconds a program may take for a video."""

_HEADROOM_BYTES = 1 << 20


@dataclass(frozen=True)
class VideoEncoder:
    """A library of ffmpeg that codes whole videos.

    `codec` and `library` are ffmpeg's names, `form` its name of the elementary stream's format,
    `decoder` that of the decoder. `scale` is what it is asked for ("QP" or "CRF"), of which
    `best` to `worst` are allowed. Samples are coded with `bit_depth` bits.
    """

    name: str
    title: str
    codec: str
    library: str
    decoder: str
    form: str
    suffix: str
    scale: str
    best: int
    worst: int
    preset: str
    bit_depth: int
    structures: tuple[Structure, ...]
    options: Callable[[int, Structure, str], list[str]]

    def find_program(self, executable: str | Path | None = None) -> ProgramInfo:
        """Find an ffmpeg that has the encoder and the decoder.

        Raises:
            ProgramNotFoundError: there is none.
        """
        encoder, decoder = (self.codec, self.library), (self.codec, self.decoder)
        find_with(executable, "encoders", encoder, f"encoder {self.library}")
        return find_with(executable, "decoders", decoder, f"decoder {self.decoder}")


def _vvenc(qp: int, structure: Structure, preset: str) -> list[str]:
    """Constant QP without perceptual adaptation, no headers that tell nothing, one intra picture.

    That is the first; by itself libvvenc codes one in the middle of the first group, at more bits.
    In low delay libvvenc calls the intra picture of a stream without refreshes by "none". With a
    thread of its own it may say of a short clip that it is at its end before it has given the first
    picture; ``threads=0`` has it work in ffmpeg's.
    """
    parameters = "intraperiod=-1:poc0idr=1:hrdparameterspresent=0:accessunitdelimiter=0:threads=0"
    if structure == "low_delay":
        parameters += ":picreordering=0:gopsize=8:decodingrefreshtype=none"
    return [
        *("-preset", preset, "-qp", str(qp), "-qpa", "0"),
        *("-vvenc-params", parameters),
    ]


def _x265(crf: int, structure: Structure, preset: str) -> list[str]:
    """Constant rate factor, one intra picture, without the message that lists x265's options."""
    parameters = "keyint=-1:info=0:log-level=error:pools=none:frame-threads=1"
    if structure == "low_delay":
        parameters += ":bframes=0:rc-lookahead=0"
    return ["-preset", preset, "-crf", str(crf), "-x265-params", parameters]


def _svtav1(crf: int, structure: Structure, preset: str) -> list[str]:
    """Constant rate factor, one intra picture."""
    parameters = "keyint=-1:lp=1"
    if structure == "low_delay":
        parameters += ":pred-struct=1"
    return ["-preset", preset, "-crf", str(crf), "-svtav1-params", parameters]


_BOTH: tuple[Structure, ...] = ("random_access", "low_delay")

VIDEO_ENCODERS: dict[str, VideoEncoder] = {
    encoder.name: encoder
    for encoder in (
        VideoEncoder(
            "vvenc", "VVenC", "vvc", "libvvenc", "vvc", "vvc", ".266",
            "QP", 0, 63, "medium", 10, _BOTH, _vvenc,
        ),
        VideoEncoder(
            "x265", "x265", "hevc", "libx265", "hevc", "hevc", ".265",
            "CRF", 0, 51, "veryslow", 8, _BOTH, _x265,
        ),
        VideoEncoder(
            "svtav1", "SVT-AV1", "av1", "libsvtav1", "libdav1d", "obu", ".obu",
            "CRF", 1, 63, "4", 8, _BOTH, _svtav1,
        ),
    )
}  # fmt: skip
"""The encoders by name."""


def find_video_encoder(name: str) -> VideoEncoder:
    """The encoder of that name; UnknownAdapterError when there is none."""
    if name not in VIDEO_ENCODERS:
        raise UnknownAdapterError(
            f"no video encoder is called {name!r}: choose from {', '.join(VIDEO_ENCODERS)}"
        )
    return VIDEO_ENCODERS[name]


@dataclass(frozen=True)
class VideoRequest:
    """How to code a video: even size, pictures per second, QP or CRF as the encoder has it."""

    width: int
    height: int
    fps: Fraction
    qp_or_crf: int
    structure: Structure = "random_access"
    preset: str | None = None


@dataclass(frozen=True)
class CodedVideo:
    """What came of it: bits of each picture in output order, the program's version and command.

    The headers of a stream count to the picture that they stand before, so that the bits of all
    pictures sum to those of the file.
    """

    picture_bits: tuple[int, ...]
    version: str
    command: tuple[str, ...]


def encode_command(
    encoder: VideoEncoder,
    request: VideoRequest,
    executable: Path,
    source: Path,
    target: Path,
    sizes: Path,
) -> list[str]:
    """The argument list that codes raw video to an elementary stream; sizes go to a text file."""
    return [
        str(executable),
        *COMMON_OPTIONS,
        *raw_video_options((request.width, request.height), request.fps, encoder.bit_depth),
        *("-color_primaries", "1", "-color_trc", "1", "-colorspace", "1", "-color_range", "tv"),
        *("-i", str(source), "-map", "0:v:0", "-fps_mode", "passthrough"),
        *("-c:v", encoder.library, "-threads", "1"),
        *encoder.options(request.qp_or_crf, request.structure, request.preset or encoder.preset),
        *("-stats_enc_post:v", str(sizes), "-stats_enc_post_fmt:v", "{pts} {size}"),
        *("-f", encoder.form, str(target)),
    ]


def encode_video(
    encoder: VideoEncoder,
    request: VideoRequest,
    pictures: Iterable[Picture420],
    target: Path,
    *,
    executable: str | Path | None = None,
    timeout: float = VIDEO_TIMEOUT,
) -> CodedVideo:
    """Code pictures to the elementary stream `target`, which is written over.

    `timeout` is in seconds.

    Raises:
        RequestInvalidError: the encoder has no such QP or CRF, or cannot do that structure,
            or there are no pictures.
        ProgramNotFoundError, ProgramFailedError, ProgramTimeoutError: as they say.
        OutputInvalidError: pictures are missing in the stream.
        TemporaryFolderError: the temporary folder is full, or cannot be written.
    """
    if not encoder.best <= request.qp_or_crf <= encoder.worst:
        raise RequestInvalidError(
            f"{encoder.name}: {encoder.scale} is {request.qp_or_crf}: it has "
            f"{encoder.best}..{encoder.worst}"
        )
    if request.structure not in encoder.structures:
        raise RequestInvalidError(f"{encoder.name}: cannot code {request.structure}")
    program = encoder.find_program(executable)
    with temporary_folder("video-") as folder:
        source, sizes = folder / "source.yuv", folder / "sizes.txt"
        with source.open("wb") as file:
            write_raw_video(file, pictures, request.width, request.height, encoder.bit_depth)
        raw_bytes = source.stat().st_size
        expected = raw_bytes // raw_picture_size(request.width, request.height, encoder.bit_depth)
        if not expected:
            raise RequestInvalidError(f"{encoder.name}: there are no pictures to code")
        command = encode_command(encoder, request, program.executable, source, target, sizes)
        outcome = run_checked(command, timeout=timeout, file_bytes=2 * raw_bytes + _HEADROOM_BYTES)
        picture_bits = _read_sizes(encoder, sizes, target, expected, outcome)
    return CodedVideo(picture_bits, program.version, outcome.command)


def _read_sizes(
    encoder: VideoEncoder, sizes: Path, target: Path, expected: int, outcome: Outcome
) -> tuple[int, ...]:
    """Bits of each picture in output order, from what ffmpeg noted of each packet."""
    try:
        packets = [tuple(map(int, line.split())) for line in sizes.read_text().splitlines()]
        ordered = [size for _, size in sorted(packets)]
        total = target.stat().st_size
    except (OSError, ValueError) as error:
        raise invalid_output(
            encoder.name, f"packet sizes cannot be read ({error})", outcome
        ) from error
    if len(ordered) != expected:
        raise invalid_output(encoder.name, f"coded {len(ordered)} of {expected} pictures", outcome)
    # A container's few bytes (AV1's first temporal delimiter) belong to the first picture.
    ordered[0] += total - sum(ordered)
    if min(ordered) < 0:
        raise invalid_output(
            encoder.name, f"packets sum to more than the {total} bytes written", outcome
        )
    return tuple(8 * size for size in ordered)


def decode_command(
    encoder: VideoEncoder, request: VideoRequest, executable: Path, source: Path, target: Path
) -> list[str]:
    """The argument list that decodes the elementary stream `source` to raw video."""
    return [
        str(executable),
        *COMMON_OPTIONS,
        *("-xerror", "-threads", "1", "-c:v", encoder.decoder, "-f", encoder.form),
        *("-i", str(source), "-map", "0:v:0", "-fps_mode", "passthrough", "-noautoscale"),
        *("-pix_fmt", PIXEL_FORMATS[encoder.bit_depth], "-f", "rawvideo", str(target)),
    ]


@contextmanager
def decoded_video(
    encoder: VideoEncoder,
    request: VideoRequest,
    source: Path,
    pictures: int,
    *,
    executable: str | Path | None = None,
    timeout: float = VIDEO_TIMEOUT,
) -> Iterator[Iterator[Picture420]]:
    """The pictures of a stream that `encode_video` wrote, in output order, while the block lasts.

    `pictures` says how many there must be; `timeout` is in seconds.

    Raises:
        ProgramNotFoundError, ProgramFailedError, ProgramTimeoutError: as they say.
        OutputInvalidError: pictures are missing, or there are too many.
        TemporaryFolderError: the temporary folder is full, or cannot be written.
    """
    program = encoder.find_program(executable)
    size = raw_picture_size(request.width, request.height, encoder.bit_depth)
    with temporary_folder("video-") as folder:
        target = folder / "decoded.yuv"
        command = decode_command(encoder, request, program.executable, source, target)
        most = (pictures + 1) * size + _HEADROOM_BYTES
        outcome = run_checked(command, timeout=timeout, file_bytes=most)
        decoded = DecodedPictures(
            target, "yuv", PictureFormat(request.width, request.height, encoder.bit_depth)
        )
        problem = decoded.problem
        if problem is None and len(decoded) != pictures:
            problem = f"decoded {len(decoded)} pictures where {pictures} were coded"
        if problem is not None:
            raise invalid_output(encoder.name, problem, outcome)
    try:
        yield iter(decoded)
    finally:
        decoded.close()
