"""What every encoder and decoder adapter does alike: find, run, verify.

An adapter says only how its program is found and probed, and which command line does a request;
see docs/base_codecs.md for how to add one.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from base_codec_adapters.byte_stream import Codec, PictureFormat, base_layer
from base_codec_adapters.coded_sequences import coded_sequences
from base_codec_adapters.decoded_pictures import Container, DecodedPictures, append
from base_codec_adapters.errors import (
    LimitExceededError,
    ProgramError,
    RequestInvalidError,
    StreamInvalidError,
)
from base_codec_adapters.pictures import (
    SAMPLE_DEPTHS,
    raw_picture_size,
    write_raw_video,
)
from base_codec_adapters.requests import (
    MAX_QP,
    DecodeLimits,
    DecodeRequest,
    DecodeResult,
    EncodeRequest,
    EncodeResult,
    ProbeResult,
    ProgramInfo,
    Unavailable,
)
from base_codec_adapters.runner import Outcome, failed, invalid_output, run, run_checked
from base_codec_adapters.stream_content import StreamContent, summarise
from base_codec_adapters.temporary import temporary_folder

DEFAULT_TIMEOUT = 600.0
"""Seconds a program may take for one request."""

_HEADROOM_BYTES = 1 << 20

# Of a program's report of how far it is, more than it says at a time.
_REPORT_END_BYTES = 4096

# Each starts the program anew, which takes longer than many a small picture.
_MOST_SEQUENCES = 16

# Width and height of a coded picture are multiples of the smallest coding block, here 8x8.
_SMALLEST_BLOCK = 8

# Encoders enlarge a picture to whole coding blocks, and crop it back by a conformance window.
_CODING_BLOCK = 64


class Adapter(ABC):
    """A program behind one interface.

    ``executable`` overrides how the program is looked up; ``timeout`` is in seconds for one
    request.
    """

    name: str
    codec: Codec

    def __init__(
        self, executable: str | Path | None = None, timeout: float = DEFAULT_TIMEOUT
    ) -> None:
        self._executable = executable
        self._timeout = timeout

    def probe(self) -> ProbeResult:
        """Whether the program is there and does what is needed; it is asked once a process."""
        try:
            return self.find_program()
        except ProgramError as error:
            return Unavailable(error.summary)

    @abstractmethod
    def find_program(self) -> ProgramInfo:
        """Find the program and check that it is the right one; it is asked once a process.

        Raises:
            ProgramError: it is absent or unfit; its summary says what to do.
        """


class BaseEncoder(Adapter):
    """An encoder of one codec; pictures in, Annex B byte stream out.

    Pictures are coded in the order given, in the structure and at the QP asked for.
    ``bit_depth`` is that of the coded samples, and of the raw video handed to the program;
    ``alignment`` is what width and height of that video are multiples of. ``lone_intra`` tells that
    the program must be started for each intra picture, because it would not make all of a
    sequence IDR pictures.
    """

    bit_depth: ClassVar[int] = 8
    alignment: ClassVar[int] = 2
    lone_intra: ClassVar[bool] = False

    def raw_size(self, request: EncodeRequest) -> tuple[int, int]:
        """Width and height of the raw video handed to the program for a request."""
        return (
            request.width + -request.width % self.alignment,
            request.height + -request.height % self.alignment,
        )

    def coded_size(self, request: EncodeRequest) -> tuple[int, int]:
        """Width and height that a program codes: it adds rows and columns to whole blocks of 8."""
        width, height = self.raw_size(request)
        return width + -width % _SMALLEST_BLOCK, height + -height % _SMALLEST_BLOCK

    @abstractmethod
    def command(
        self, request: EncodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """The argument list that codes raw video ``source`` to the byte stream ``target``."""

    def reporting(self, command: list[str], report: Path) -> list[str]:
        """The same command, which also writes into a file how far it is, if the program can."""
        return command

    def coded_pictures(self, report: str) -> int:
        """How many pictures are coded by the text of such a file, which may be incomplete."""
        return 0

    def encode(self, request: EncodeRequest) -> EncodeResult:
        """Code the pictures of a request as one sequence in their order.

        Raises:
            RequestInvalidError: QP out of the codec's range.
            ProgramNotFoundError: the program is not there.
            ProgramFailedError, ProgramTimeoutError: it did not come to a good end.
            TemporaryFolderError: the temporary folder is full, or cannot be written.
            OutputInvalidError: the stream lacks pictures or parameter sets, or has another size or
                bit depth than asked for.
        """
        for name, qp in request.qps.items():
            if qp > MAX_QP[self.codec]:
                raise RequestInvalidError(
                    f"{self.name}: {name} is {qp}: {self.codec.upper()} has 0..{MAX_QP[self.codec]}"
                )
        program = self.find_program()
        stream, outcome, left = b"", None, self._timeout
        for part in self._parts(request):
            started = time.monotonic()
            coded, outcome = self._code(part, program, max(0.0, left))
            stream += coded
            left -= time.monotonic() - started
        assert outcome is not None
        return EncodeResult(stream, self.codec, self.bit_depth, program.version, outcome.command)

    def _parts(self, request: EncodeRequest) -> Iterator[EncodeRequest]:
        """What the program is started for, one after the other."""
        if self.lone_intra and request.structure == "intra":
            for picture in request.pictures:
                yield replace(request, pictures=(picture,))
        else:
            yield request

    def _code(
        self, request: EncodeRequest, program: ProgramInfo, timeout: float
    ) -> tuple[bytes, Outcome]:
        wanted = PictureFormat(request.width, request.height, self.bit_depth)
        width, height = self.raw_size(request)
        raw_bytes = len(request.pictures) * raw_picture_size(width, height, self.bit_depth)
        with temporary_folder("base-codec-") as folder:
            source, target = folder / "source.yuv", folder / "coded.bin"
            with source.open("wb") as file:
                write_raw_video(file, request.pictures, width, height, self.bit_depth)
            command = self.command(request, program.executable, source, target)
            report = folder / "report.txt"
            meanwhile = None
            if request.progress is not None:
                command = self.reporting(command, report)
                meanwhile = _Watch(report, self.coded_pictures, request.progress).look
            outcome = run_checked(
                command,
                timeout=timeout,
                file_bytes=2 * raw_bytes + _HEADROOM_BYTES,
                meanwhile=meanwhile,
            )
            stream = target.read_bytes() if target.is_file() else b""
            self._verify(stream, wanted, len(request.pictures), outcome)
        return stream, outcome

    def _verify(
        self, stream: bytes, wanted: PictureFormat, pictures: int, outcome: Outcome
    ) -> None:
        if not stream:
            raise invalid_output(self.name, "exit status 0, but nothing was written", outcome)
        try:
            summary = summarise(stream, self.codec)
        except StreamInvalidError as error:
            raise invalid_output(self.name, str(error), outcome) from error
        if summary.format != wanted:
            problem = f"coded {summary.format} where {wanted} was asked for"
        elif summary.pictures != pictures:
            problem = f"coded {summary.pictures} of {pictures} pictures"
        elif not summary.parameter_sets_first:
            problem = "the stream does not start with its parameter sets"
        else:
            return
        raise invalid_output(self.name, problem, outcome)


class _Watch:
    """Tells of a report that grows, when it says another number; 0 is not told."""

    def __init__(
        self, report: Path, read: Callable[[str], int], tell: Callable[[int], object]
    ) -> None:
        self._report = report
        self._read = read
        self._tell = tell
        self._size = self._told = 0

    def look(self) -> None:
        """Tell if there is something new."""
        try:
            size = self._report.stat().st_size
            if size == self._size:
                return
            self._size = size
            with self._report.open("rb") as file:
                file.seek(max(0, size - _REPORT_END_BYTES))
                said = file.read(_REPORT_END_BYTES).decode("ascii", "replace")
        except FileNotFoundError:  # not begun yet
            return
        count = self._read(said)
        if count > self._told:
            self._told = count
            self._tell(count)


class BaseDecoder(Adapter):
    """A decoder of one codec; Annex B byte stream in, pictures out.

    ``container`` tells what the program writes: "y4m" (YUV4MPEG2) or "yuv" (raw video of the
    format that the stream's sequence parameter set states). ``checks_hashes`` tells that it gets
    the decoded picture hashes; no program gets other SEI messages, or other layers.
    """

    container: ClassVar[Container] = "y4m"
    checks_hashes: ClassVar[bool] = True

    @abstractmethod
    def command(
        self, request: DecodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """The argument list that decodes the byte stream ``source`` to the file ``target``."""

    def decode(self, request: DecodeRequest) -> DecodeResult:
        """Decode all pictures of the base layer, in output order, at the stream's size.

        What the base layer's pictures do not need is left out before.

        Raises:
            StreamInvalidError: the stream is malformed, or asks for more than the limits allow.
            ProgramNotFoundError: the program is not there.
            ProgramFailedError, ProgramTimeoutError: it did not come to a good end.
            TemporaryFolderError: the temporary folder is full, or cannot be written.
            OutputInvalidError: pictures are missing, cut off or of another format than the stream
                states; a lenient request only needs one whole picture.
        """
        summary = summarise(request.stream, self.codec)
        _check_request(summary, request)
        program = self.find_program()
        picture_bytes = raw_picture_size(
            summary.format.width, summary.format.height, summary.format.bit_depth
        )
        # Per picture, a container adds a few bytes; one more picture shows a wrong count.
        most = (summary.pictures + 1) * (picture_bytes + 64) + _HEADROOM_BYTES
        with temporary_folder("base-codec-") as folder:
            source, target = folder / "coded.bin", folder / f"decoded.{self.container}"
            command = self.command(request, program.executable, source, target)
            started = time.monotonic()

            def run_on(stream: bytes, left: float = self._timeout) -> Outcome:
                with source.open("wb") as file:
                    file.writelines(base_layer(stream, self.codec, hashes=self.checks_hashes))
                return run(command, timeout=left, file_bytes=most)

            outcome = run_on(request.stream)
            if outcome.exit_status != 0 and not request.lenient:
                raise failed(outcome)
            pictures = DecodedPictures(target, self.container, summary.format)
            lacks = pictures.problem is None and len(pictures) < summary.pictures
            if lacks and not request.lenient:
                parts = self._sequences(request, len(pictures), summary.pictures, outcome)
                if parts:
                    joined = folder / f"joined.{self.container}"
                    with joined.open("wb") as file:
                        for part in parts:
                            left = self._timeout - (time.monotonic() - started)
                            outcome = run_on(part, max(0, math.ceil(left)))
                            if outcome.exit_status != 0:
                                raise failed(outcome)
                            append(file, target, self.container)
                    pictures = DecodedPictures(joined, self.container, summary.format)
            self._check(pictures, summary, request, outcome)
        return DecodeResult(pictures, summary.format.bit_depth, program.version, outcome.command)

    def _sequences(
        self, request: DecodeRequest, decoded: int, coded: int, outcome: Outcome
    ) -> list[bytes]:
        """Sequences to decode one by one where not all pictures were decoded; none of one alone."""
        parts = coded_sequences(request.stream, self.codec, _MOST_SEQUENCES)
        if not parts:
            problem = (
                f"decoded {decoded} of {coded} coded pictures; if IDR pictures say that those "
                "before are not to be shown, split the stream there"
            )
            raise invalid_output(self.name, problem, outcome)
        return parts if len(parts) > 1 else []

    def _check(
        self,
        pictures: DecodedPictures,
        summary: StreamContent,
        request: DecodeRequest,
        outcome: Outcome,
    ) -> None:
        problem = pictures.problem
        if request.lenient:
            if pictures:
                return
            if outcome.exit_status != 0:
                raise failed(outcome)
            problem = problem or "no picture could be decoded"
        elif problem is None and len(pictures) != summary.pictures:
            problem = f"decoded {len(pictures)} of {summary.pictures} coded pictures"
        if problem is not None:
            raise invalid_output(self.name, problem, outcome)


def _check_request(summary: StreamContent, request: DecodeRequest) -> None:
    """StreamInvalidError if the stream is beyond the limits or not what was expected."""
    found, limits = summary.format, request.limits
    if found.bit_depth not in SAMPLE_DEPTHS:
        raise StreamInvalidError(f"the stream has {found.bit_depth} bits a sample: 8 or 10 needed")
    _check_size(found.width, found.height, limits)
    # What is cropped off is decoded as well.
    coded_width, coded_height = summary.coded_size
    _check_size(coded_width, coded_height, limits, _CODING_BLOCK)
    if summary.pictures > limits.pictures:
        raise LimitExceededError(
            "pictures", f"{summary.pictures} coded pictures pass the limit of {limits.pictures}"
        )
    raw_bytes = summary.pictures * raw_picture_size(found.width, found.height, found.bit_depth)
    if raw_bytes > limits.total_bytes:
        raise LimitExceededError(
            "total_bytes",
            f"{summary.pictures} pictures of {found} are {raw_bytes} bytes, past the limit of "
            f"{limits.total_bytes}: decode the stream in parts",
        )
    expected = request.expected_pictures
    if expected is not None and summary.pictures != expected and not request.lenient:
        raise StreamInvalidError(
            f"the stream holds {summary.pictures} coded pictures where {expected} were expected"
        )


def _check_size(width: int, height: int, limits: DecodeLimits, margin: int = 0) -> None:
    """LimitExceededError if a picture is too large; ``margin`` more rows and columns are let by."""
    for limit, size in (("width", width), ("height", height)):
        if size > getattr(limits, limit) + margin:
            raise LimitExceededError(
                limit,
                f"pictures of {width}x{height} pass the limit of {limits.width}x{limits.height}",
            )
    if max(0, width - margin) * max(0, height - margin) > limits.area:
        raise LimitExceededError(
            "area",
            f"pictures of {width}x{height} are {width * height} samples, past the limit of "
            f"{limits.area}",
        )
