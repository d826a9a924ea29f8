"""From a talking-head video to one VVC or HEVC stream with generative face video messages.

The encoder holds a decoder: key pictures are analysed as decoded, and face parameters are
predicted from reconstructed ones. It works in a stream; nothing grows with the clip's length
but the file that it writes.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from base_codec_adapters import DEFAULT_TIMEOUT, Codec
from gfvc.base_layer import DEFAULT_QP, CodedKeyPicture, KeyPictureCoder
from gfvc.containers import MP4_SUFFIX, write_mp4
from gfvc.crop import choose_crop, require_square
from gfvc.default_model import choose_model
from gfvc.errors import InputError, OutputError
from gfvc.face_units import DecidedUnits, FaceUnits, ImmediateUnits
from gfvc.fallback import FALLBACK_POLICIES, FallbackPolicy
from gfvc.fallback.coding import SequenceCoder
from gfvc.fallback.stretches import Stretches
from gfvc.key_decisions import KEY_PICTURE_POLICIES, KeyPicturePolicy
from gfvc.key_decisions.monitor import GenerationMonitor, Verdict
from gfvc.key_decisions.scene_cuts import SceneCuts
from gfvc.key_pictures import KeyPictureSchedule
from gfvc.output import check_not_source, check_writable, replaced_when_complete
from gfvc.scaling import read_scaled
from gfvc.stream_information import StreamInformation
from gfvc.stream_writer import StreamWriter
from gfvc.symbol_decisions import DECISIONS, DEFAULT_PRICE, Switches, SymbolSettings
from gfvc.symbol_rate import (
    AUTOMATIC_RATE,
    FULL,
    SymbolRate,
    is_symbol_rate,
    symbol_interval,
)
from gfvc.video_reader import (
    MAX_RATE,
    MIN_RATE,
    Picture,
    VideoProperties,
    probe_video,
)
from models import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    ModelCard,
    Registry,
    Runtime,
    default_registry,
)
from sei import Codec as SeiCodec
from sei import access_units, split_annex_b

MIN_SIDE = 64
# Sides of the coded picture.
SIZES = range(64, 2048 + 1, 8)

# Names that do not tell a codec: VVC unless asked otherwise.
OTHER_SUFFIXES = ("", ".bin", ".bit")
CODEC_OF_SUFFIX: dict[str, Codec] = {".266": "vvc", ".vvc": "vvc", ".265": "hevc", ".hevc": "hevc"}

Notes = Callable[[str], None]
Progress = Callable[[int, "int | None"], None]


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How to encode; None stands for a default that depends on the input or output.

    `codec` "vvc" or "hevc" (by the output's suffix); `base_encoder` a name from
    `base_codec_adapters.available()` or "auto"; `model` a registered name; `features` values of
    its compact feature beside the landmarks; `key_qp` 0..63 (VVC) or 0..51 (HEVC); `key_interval`
    pictures from key picture to key picture at most; `key_pictures` "auto" for more where they
    pay and at scene cuts, or "fixed"; `crop` "auto" or "none"; `size` side of the coded picture,
    a multiple of 8 in 64..2048; `rate` pictures per second, 1..240; `low_delay` a NAL unit for
    each picture's messages, about which nothing is decided then; `symbol_rate` messages a second,
    "full" for one a picture, or "auto" where they pay; `symbol_price` the distortion that a bit
    of the face parameters may cost; `without` the decisions of `DECISIONS` that are left out;
    `audio` "none", or "copy" the source's sound into an MP4 output; `fallback` "auto" for
    ordinary video where there is no face, "never", or "always" for all of the clip; `fallback_qp`
    its quantisation parameter (by default `key_qp`); `timeout` seconds that a base codec program
    may take for a key picture, or for 25 pictures of ordinary video; `runtime` says how networks
    run. Raises `ValueError` for any other value.
    """

    codec: Codec | None = None
    base_encoder: str = "auto"
    model: str | None = None
    features: int = 0
    key_qp: int | None = None
    key_interval: int | None = None
    key_pictures: KeyPicturePolicy = "fixed"
    crop: str = "auto"
    size: int = 256
    rate: Fraction | None = None
    low_delay: bool = False
    symbol_rate: SymbolRate = AUTOMATIC_RATE
    symbol_price: float = DEFAULT_PRICE
    without: frozenset[str] = frozenset()
    audio: str = "none"
    fallback: FallbackPolicy = "auto"
    fallback_qp: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    runtime: Runtime = field(default_factory=Runtime)

    def __post_init__(self) -> None:
        allowed: dict[str, bool] = {
            "codec": self.codec in (None, "vvc", "hevc"),
            "key_interval": self.key_interval is None or self.key_interval >= 1,
            "key_pictures": self.key_pictures in KEY_PICTURE_POLICIES,
            "crop": self.crop in ("auto", "none"),
            "features": self.features >= 0,
            "size": self.size in SIZES,
            "rate": self.rate is None or MIN_RATE <= self.rate <= MAX_RATE,
            "symbol_rate": is_symbol_rate(self.symbol_rate),
            "symbol_price": 0 < self.symbol_price < math.inf,
            "without": self.without <= set(DECISIONS),
            "low_delay": not self.low_delay or self.symbol_rate in (AUTOMATIC_RATE, FULL),
            "audio": self.audio in ("none", "copy"),
            "fallback": self.fallback in FALLBACK_POLICIES,
            "timeout": self.timeout > 0,
        }
        for name, good in allowed.items():
            if not good:
                raise ValueError(f"{name} cannot be {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True)
class EncodeSummary:
    """What was encoded.

    `fallback_pictures` are those that are ordinary video, all of them coded by the base codec and
    none a key picture. Bits: `sei_bits` are the NAL units with face parameters and user data.
    """

    frames: int
    rate: Fraction
    width: int
    height: int
    key_pictures: int
    low_confidence_pictures: int
    model: str
    codec: str
    base_bits: int
    sei_bits: int
    seconds: float
    base_codec_seconds: float
    fallback_pictures: int = 0

    @property
    def total_bits(self) -> int:
        """Eight times the size of the file."""
        return self.base_bits + self.sei_bits

    @property
    def kilobits_per_second(self) -> float:
        """All bits over the clip's duration."""
        return self.total_bits * float(self.rate) / self.frames / 1000

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc encode --json` prints."""
        return {
            "frames": self.frames,
            "fps": float(self.rate),
            "width": self.width,
            "height": self.height,
            "key_pictures": self.key_pictures,
            "low_confidence_pictures": self.low_confidence_pictures,
            "fallback_pictures": self.fallback_pictures,
            "model": self.model,
            "codec": self.codec,
            "bits": {"base": self.base_bits, "sei": self.sei_bits, "total": self.total_bits},
            "kbps": self.kilobits_per_second,
            "seconds": self.seconds,
            "base_codec_seconds": self.base_codec_seconds,
        }


def _ignore(*_: object) -> None:
    """Default for notes and progress."""


def choose_codec(output: Path, codec: Codec | None) -> Codec:
    """The base codec asked for, or that of the output's suffix; VVC when that is silent."""
    by_suffix = CODEC_OF_SUFFIX.get(output.suffix.lower())
    if codec and by_suffix and codec != by_suffix:
        raise OutputError(
            f"{output}: the suffix means {by_suffix} and --codec says {codec}; change one of them"
        )
    if by_suffix is None and output.suffix.lower() not in (*OTHER_SUFFIXES, MP4_SUFFIX):
        known = ", ".join([*CODEC_OF_SUFFIX, *OTHER_SUFFIXES[1:], MP4_SUFFIX])
        raise OutputError(f"{output}: no suffix of a stream; use one of {known}")
    return codec or by_suffix or "vvc"


def encode(
    source: Path,
    output: Path,
    options: EncodeOptions = EncodeOptions(),
    *,
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = _ignore,
    progress: Progress = _ignore,
) -> EncodeSummary:
    """Encode a video file.

    `notes` is told what a user should know; `progress` gets the number of pictures done and the
    expected total or None. Raises `GfvcError`, `ModelError` or `BaseCodecError`; then `output` is
    as it was.
    """
    started = time.perf_counter()
    codec = choose_codec(output, options.codec)
    check_not_source(source, output)
    check_writable(output, force=force)
    model = (registry or default_registry()).find(
        choose_model(options.model, options.features, options.size)
    )
    video = probe_video(source)
    if min(video.width, video.height) < MIN_SIDE:
        raise InputError(
            f"{source}: is {video.width}x{video.height}; pictures need at least {MIN_SIDE} a side"
        )
    audio_source = _audio_source(source, output, options, video, notes)
    rate = options.rate or video.rate
    if options.crop == "none":
        crop = require_square(source, video.width, video.height)
    else:
        crop = choose_crop(source, video.width, video.height, options.size)
    qp = DEFAULT_QP[codec] if options.key_qp is None else options.key_qp
    loaded = model.load(options.runtime)
    coder = KeyPictureCoder(codec, qp, rate, options.base_encoder, options.timeout)
    expected = round(video.seconds * rate) if video.seconds else None
    information = StreamInformation(rate, video.width, video.height, crop)
    with replaced_when_complete(output, force=force) as temporary:
        in_container = output.suffix.lower() == MP4_SUFFIX
        stream = temporary.with_suffix(".stream") if in_container else temporary
        with stream.open("wb") as file:
            writer = StreamWriter(file, codec, information, low_delay=options.low_delay)
            faces = _face_units(loaded, model.card, writer, options, rate)
            encoder = _ClipEncoder(source, loaded, coder, faces, writer, options, rate)
            with contextlib.closing(encoder):
                pictures = read_scaled(source, rate, crop, options.size)
                encoder.encode(pictures, notes, progress, expected)
            writer.close()
        if in_container:
            with stream.open("rb") as file:
                units = list(access_units(split_annex_b(file, SeiCodec(codec))))
            write_mp4(temporary, units, encoder.pictures_of_units, rate, audio_source)
        total_bytes = temporary.stat().st_size
    return EncodeSummary(
        frames=encoder.pictures,
        rate=rate,
        width=options.size,
        height=options.size,
        key_pictures=encoder.key_pictures,
        low_confidence_pictures=encoder.low_confidence,
        model=model.card.name,
        codec=codec,
        base_bits=8 * (total_bytes - writer.sei_bytes),
        sei_bits=8 * writer.sei_bytes,
        seconds=time.perf_counter() - started,
        base_codec_seconds=encoder.base_codec_seconds,
        fallback_pictures=encoder.fallback_pictures,
    )


def _face_units(
    model: AnimationModel,
    card: ModelCard,
    writer: StreamWriter,
    options: EncodeOptions,
    rate: Fraction,
) -> FaceUnits:
    """What turns face parameters into messages."""
    if options.low_delay:
        return ImmediateUnits(model, card, writer)
    taken = {name: name not in options.without for name in DECISIONS}
    interval = symbol_interval(options.symbol_rate, rate)
    settings = SymbolSettings(options.symbol_price, Switches(interval, **taken))
    return DecidedUnits(model, card, writer, settings)


def _audio_source(
    source: Path, output: Path, options: EncodeOptions, video: VideoProperties, notes: Notes
) -> Path | None:
    """The file whose sound goes into the output, or None."""
    if options.audio == "copy":
        if output.suffix.lower() != MP4_SUFFIX:
            raise OutputError(f"{output}: only an {MP4_SUFFIX} file can hold sound (--audio copy)")
        if video.has_audio:
            return source
        notes(f"{source}: has no sound to copy")
    elif video.has_audio:
        hint = "; --audio copy keeps it" if output.suffix.lower() == MP4_SUFFIX else ""
        notes(f"{source}: the sound is left out{hint}")
    return None


class _ClipEncoder:
    """The state of encoding one clip."""

    def __init__(
        self,
        source: Path,
        model: AnimationModel,
        coder: KeyPictureCoder,
        units: FaceUnits,
        writer: StreamWriter,
        options: EncodeOptions,
        rate: Fraction,
    ) -> None:
        self._source = source
        self._model = model
        self._coder = coder
        self._units = units
        self._writer = writer
        self._schedule = KeyPictureSchedule(rate, options.key_interval)
        self._key: Analysis | None = None
        self._key_failed = False
        self._options = options
        self._sequences = SequenceCoder(
            coder.codec,
            coder.qp if options.fallback_qp is None else options.fallback_qp,
            rate,
            self._write_sequence,
            longest=options.key_interval,
            encoder=options.base_encoder,
            timeout=options.timeout,
        )
        self._stretches = Stretches(options.fallback, rate, self._sequences)
        self._monitor: GenerationMonitor | None = None
        self._cuts: SceneCuts | None = None
        self._is_cut = False  # whether the picture at hand starts a new scene
        if options.key_pictures == "auto" and options.fallback != "always":
            self._monitor, self._cuts = GenerationMonitor(model, rate), SceneCuts()
        self.pictures = 0
        self.pictures_of_units: list[int] = []  # output pictures of each coded picture
        self.key_pictures = 0
        self.low_confidence = 0
        self._key_seconds = 0.0

    @property
    def fallback_pictures(self) -> int:
        return self._stretches.pictures

    @property
    def base_codec_seconds(self) -> float:
        return self._key_seconds + self._sequences.seconds

    def close(self) -> None:
        self._sequences.close()
        if self._monitor is not None:
            self._monitor.close()

    def encode(
        self,
        pictures: Iterator[Picture],
        notes: Notes,
        progress: Progress,
        expected: int | None,
    ) -> None:
        if self._options.fallback == "always":
            self._stretches.open()
            for picture in pictures:
                self._stretches.add(picture, face=False)
                self._count(progress, expected)
        else:
            with self._model.open_analyser() as analyser:
                for picture in pictures:
                    self._is_cut = self._cuts is not None and self._cuts.is_cut(picture)
                    self._encode_picture(analyser, picture)
                    self._count(progress, expected)
        self._repeat(self._stretches.finish(generated=self.key_pictures > 0))
        self._units.close()
        self._judge(notes)

    def _count(self, progress: Progress, expected: int | None) -> None:
        self.pictures += 1
        progress(self.pictures, expected)

    def _judge(self, notes: Notes) -> None:
        """Refuse a clip of which nothing was sent; tell what a user should know."""
        if not self.pictures_of_units and self._key_failed:
            raise InputError(
                f"{self._source}: shows a face, but its coded key picture does not; "
                "lower --key-qp, code a larger picture (--size), or send it as ordinary video "
                "(--fallback auto)"
            )
        if not self.pictures_of_units:
            raise InputError(
                f"{self._source}: shows no face in any of its {self.pictures} pictures; "
                "a face must be in view, and not much smaller than a tenth of the picture; "
                "--fallback auto sends such a clip as ordinary video"
            )
        if self.fallback_pictures:
            why = "" if self._options.fallback == "always" else ": no face that generation can use"
            notes(
                f"{self._source}: {self.fallback_pictures} of {self.pictures} pictures are sent as "
                f"ordinary video{why}"
            )
        if self.low_confidence:
            notes(
                f"{self._source}: {self.low_confidence} of {self.pictures} pictures show no face; "
                "the face stands still there"
            )

    def _encode_picture(self, analyser: Analyser, picture: Picture) -> None:
        if not self._stretches.active:
            self._generate(analyser, picture)
        elif self._stretches.add(picture, face=analyser.finds_face(picture)):
            self._try_to_leave_stretch(analyser)

    def _try_to_leave_stretch(self, analyser: Analyser) -> None:
        first, *others = self._stretches.back
        self._is_cut = False
        key = self._code_key(analyser, first)
        if key is None:
            self._stretches.stay(self._schedule.retry_after)
            return
        self._stretches.leave()
        self._send_key(*key)
        for picture in others:
            self._encode_picture(analyser, picture)

    def _generate(self, analyser: Analyser, picture: Picture) -> None:
        """Send a picture as a key picture, or driven by the last one."""
        due = (self._schedule.due() or self._is_cut) and analyser.finds_face(picture)
        self._is_cut = False
        key = self._code_key(analyser, picture) if due else None
        if key is not None:
            self._send_key(*key)
            return
        analysis = None if self._key is None else analyser.analyse(picture, self._key)
        if analysis is not None and self._key_instead(analyser, picture, analysis):
            return
        self._schedule.driven(face=analysis is not None)
        if analysis is not None:
            self._repeat(self._stretches.settle())
            self._add(analysis.parameters)
        elif self._stretches.miss(picture):
            self._key = None
            self._schedule.restart()

    def _key_instead(self, analyser: Analyser, picture: Picture, analysis: Analysis) -> bool:
        """Send a picture by the base codec where that pays; False when it is better driven."""
        verdict = Verdict.DRIVE
        if self._monitor is not None:
            verdict = self._monitor.judge(picture, analysis.parameters)
        if verdict is Verdict.GIVE_UP and self._monitor is not None:
            if self._options.fallback == "never":
                return False
            self._repeat(self._stretches.settle())
            self._stretches.open(self._monitor.give_up())
            self._stretches.add(picture, face=True)
            self._key = None
            self._schedule.restart()
            return True
        key = self._code_key(analyser, picture) if verdict is Verdict.NEW_KEY else None
        if key is not None:
            self._send_key(*key)
        return key is not None

    def _code_key(
        self, analyser: Analyser, picture: Picture
    ) -> tuple[CodedKeyPicture, Analysis] | None:
        """Code a key picture; None when its decoded form shows no face."""
        before = time.perf_counter()
        coded = self._coder.code(picture)
        self._key_seconds += time.perf_counter() - before
        analysis = analyser.analyse_key(coded.decoded)
        if analysis is None:
            self._schedule.key_failed()
            self._key_failed = True
            return None
        return coded, analysis

    def _send_key(self, coded: CodedKeyPicture, analysis: Analysis) -> None:
        missed = self._stretches.settle()
        if self._key is not None:
            self._repeat(missed)
            missed = 0
        self._schedule.key_sent()
        self._key = analysis
        if self._monitor is not None:
            bits = 8 * len(coded.stream)
            self._monitor.key_sent(coded.decoded, analysis.parameters, bits)
        self.key_pictures += 1
        self.pictures_of_units.append(1)
        self._units.begin(coded.stream, analysis.parameters)
        # Pictures before the first key picture look like it: the face stands still until then.
        self._repeat(missed)

    def _write_sequence(self, coded: bytes, pictures: int) -> None:
        self._units.close()
        self._writer.write_as_coded(coded)
        self.pictures_of_units += [1] * pictures

    def _repeat(self, count: int) -> None:
        for _ in range(count):
            self.low_confidence += 1
            self._add(None)

    def _add(self, parameters: FaceParameters | None) -> None:
        self.pictures_of_units[-1] += 1
        self._units.add(parameters)
