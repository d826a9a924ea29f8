"""One pass over a clip, from pictures to a stream; a bitrate takes several of them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from threadpoolctl import threadpool_limits

from base_codec_adapters import Codec
from gfvc.base_layer import KeyPictureCoder
from gfvc.clip_encoder import ClipEncoder, Progress
from gfvc.containers import write_mp4
from gfvc.face_units import DecidedUnits, FaceUnits, ImmediateUnits
from gfvc.options.encoding import EncodeOptions
from gfvc.rate_control import RateSettings
from gfvc.scaling import read_scaled
from gfvc.stream_information import StreamInformation
from gfvc.stream_writer import StreamWriter
from gfvc.symbol_decisions import DECISIONS, Switches, SymbolSettings
from gfvc.symbol_rate import symbol_interval
from gfvc.video.sound import SoundCoding
from models import Analyser, AnimationModel, ModelCard
from models.parallel import one_ahead
from sei import Codec as SeiCodec
from sei import access_units, split_annex_b


@dataclass(frozen=True, slots=True)
class Clip:
    """A source, and all that is decided about it before its first pass.

    `information.rate` are its coded pictures per second; `expected` is about how many they are, or
    None.
    """

    source: Path
    options: EncodeOptions
    codec: Codec
    model: AnimationModel
    card: ModelCard
    information: StreamInformation
    expected: int | None

    @property
    def rate(self) -> Fraction:
        """Coded pictures per second."""
        return self.information.rate


@dataclass(frozen=True, slots=True)
class CodedClip:
    """What a pass made: an Annex B stream in a file, how, and of how many pictures of each kind.

    `notes` are what a user should know, `pictures_of_units` output pictures of each coded one.
    """

    stream: Path
    settings: RateSettings
    codec: Codec
    rate: Fraction
    frames: int
    key_pictures: int
    low_confidence_pictures: int
    fallback_pictures: int
    pictures_from_earlier_keys: int
    pictures_of_units: tuple[int, ...]
    sei_bytes: int
    base_codec_seconds: float
    notes: tuple[str, ...]

    def write_mp4(
        self, path: Path, audio_source: Path | None = None, coding: SoundCoding = "copy"
    ) -> None:
        """Put the stream into an MP4 file, with the sound of a file if one is named."""
        with self.stream.open("rb") as file:
            units = list(access_units(split_annex_b(file, SeiCodec(self.codec))))
        write_mp4(path, units, self.pictures_of_units, self.rate, audio_source, coding)


def code_clip(
    clip: Clip, settings: RateSettings, stream: Path, analyser: Analyser, progress: Progress
) -> CodedClip:
    """Code a clip with some settings into the file `stream`; `analyser` is new, or rewound.

    Raises `GfvcError`, `ModelError` or `BaseCodecError`.
    """
    options, rate = clip.options, clip.rate
    coder = KeyPictureCoder(
        clip.codec, settings.key_qp, rate, options.base_encoder, options.timeout
    )
    notes: list[str] = []
    with stream.open("wb") as file:
        writer = StreamWriter(file, clip.codec, clip.information, low_delay=options.low_delay)
        faces = _face_units(clip, writer, settings)
        encoder = ClipEncoder(clip.source, clip.model, coder, faces, writer, options, rate)
        with contextlib.closing(encoder):
            pictures = read_scaled(
                clip.source, rate, clip.information.crop, options.size, notes.append
            )
            # Linear algebra is of small matrices, for which threads would only wait.
            with (
                contextlib.closing(one_ahead(pictures)) as coming,
                threadpool_limits(1, user_api="blas"),
            ):
                encoder.encode(analyser, coming, notes.append, progress, clip.expected)
        writer.close()
    return CodedClip(
        stream=stream,
        settings=settings,
        codec=clip.codec,
        rate=rate,
        frames=encoder.pictures,
        key_pictures=encoder.key_pictures,
        low_confidence_pictures=encoder.low_confidence,
        fallback_pictures=encoder.fallback_pictures,
        pictures_from_earlier_keys=encoder.from_earlier_keys,
        pictures_of_units=tuple(encoder.pictures_of_units),
        sei_bytes=writer.sei_bytes,
        base_codec_seconds=encoder.base_codec_seconds,
        notes=tuple(notes),
    )


def _face_units(clip: Clip, writer: StreamWriter, settings: RateSettings) -> FaceUnits:
    """What turns face parameters into messages."""
    options = clip.options
    if options.low_delay:
        return ImmediateUnits(clip.model, clip.card, writer)
    taken = {name: name not in options.without for name in DECISIONS}
    interval = symbol_interval(options.symbol_rate, clip.rate)
    decisions = SymbolSettings(settings.symbol_price, Switches(interval, **taken))
    return DecidedUnits(clip.model, clip.card, writer, decisions, options.reference_pool)
