"""One pass over a clip, from pictures to a stream; a bitrate takes several of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from threadpoolctl import threadpool_limits

from base_codec_adapters import Codec
from gfvc.base_layer import KeyPictureCoder
from gfvc.encoding.executor import PlanExecutor, Tally
from gfvc.encoding.face_units import MAX_BUFFERED, DecidedUnits, FaceUnits, ImmediateUnits
from gfvc.encoding.face_watch import FaceWatch
from gfvc.encoding.facts import MeasuredFacts
from gfvc.encoding.ordinary_video import SequenceCoder, most_pictures
from gfvc.encoding.planner import PicturePlanner, PlanSettings
from gfvc.errors import InputError, KeyPictureTooCoarseError
from gfvc.options.encoding import EncodeOptions
from gfvc.rate_control import RateSettings
from gfvc.scaling import read_scaled
from gfvc.stream.containers import write_mp4
from gfvc.stream.information import StreamInformation
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions import DECISIONS, Switches, SymbolSettings
from gfvc.symbol_rate import symbol_interval
from gfvc.video.sound import SoundCoding
from models import Analyser, AnimationModel, ModelCard
from models.contract import Picture
from models.parallel import one_ahead
from sei import Codec as SeiCodec
from sei import access_units, split_annex_b

Progress = Callable[[int, "int | None"], None]
"""Told the number of pictures done, and the expected total or None."""


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
    tally: Tally
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

    The encoder holds a decoder: key pictures are analysed as decoded. Nothing grows with the clip's
    length but the file that is written. Raises `GfvcError`, `ModelError` or `BaseCodecError`.
    """
    options, rate = clip.options, clip.rate
    coder = KeyPictureCoder(
        clip.codec, settings.key_qp, rate, options.base_encoder, options.timeout
    )
    sequences = SequenceCoder(
        clip.codec,
        settings.key_qp if options.fallback_qp is None else options.fallback_qp,
        rate,
        encoder=options.base_encoder,
        timeout=options.timeout,
    )
    facts = MeasuredFacts(
        clip.model,
        analyser,
        coder,
        watch=None if options.fallback == "always" else FaceWatch(rate),
        looks_closely=options.key_pictures == "auto" and options.fallback != "always",
    )
    notes: list[str] = []
    with sequences, facts, stream.open("wb") as file:
        writer = StreamWriter(file, clip.codec, clip.information, low_delay=options.low_delay)
        units = _face_units(clip, writer, settings)
        executor = PlanExecutor(facts, units, sequences, writer, options.reference_pool)
        pictures = read_scaled(clip.source, rate, clip.information.crop, options.size, notes.append)
        # Linear algebra is of small matrices, for which threads would only wait.
        with (
            contextlib.closing(one_ahead(pictures)) as coming,
            threadpool_limits(1, user_api="blas"),
        ):
            count = _code_pictures(clip, coming, facts, executor, progress)
        writer.close()
    if not executor.pictures_of_units:
        raise _nothing_sent(clip, count, facts.lost_keys)
    tally = executor.tally
    return CodedClip(
        stream=stream,
        settings=settings,
        codec=clip.codec,
        rate=rate,
        tally=tally,
        pictures_of_units=tuple(executor.pictures_of_units),
        sei_bytes=writer.sei_bytes,
        base_codec_seconds=facts.coding_seconds + sequences.seconds,
        notes=(*notes, *_remarks(clip, tally)),
    )


def _code_pictures(
    clip: Clip,
    pictures: Iterator[Picture],
    facts: MeasuredFacts,
    executor: PlanExecutor,
    progress: Progress,
) -> int:
    """Plan for the pictures, and carry it out; how many they are."""
    planner = PicturePlanner(_plan_settings(clip), facts)
    count = 0
    for number, picture in enumerate(pictures):
        facts.add(number, picture)
        for decision in planner.take(number):
            executor.carry_out(decision)
        facts.keep(planner.held, planner.keys)
        count = number + 1
        progress(count, clip.expected)
    for decision in planner.finish():
        executor.carry_out(decision)
    executor.finish()
    return count


def _plan_settings(clip: Clip) -> PlanSettings:
    options = clip.options
    settings = PlanSettings(
        rate=clip.rate,
        key_interval=options.key_interval,
        key_pictures=options.key_pictures,
        fallback=options.fallback,
        pool=options.reference_pool,
        longest_unit=MAX_BUFFERED,
    )
    longest = min(settings.interval, most_pictures(options.size))
    return replace(settings, longest_sequence=longest)


def _nothing_sent(clip: Clip, pictures: int, lost_keys: int) -> InputError:
    """Why a clip is refused."""
    if lost_keys:
        return KeyPictureTooCoarseError(
            f"{clip.source}: shows a face, but its coded key picture does not; "
            "lower --key-qp, code a larger picture (--size), or send it as ordinary video "
            "(--fallback auto)"
        )
    return InputError(
        f"{clip.source}: shows no face in any of its {pictures} pictures; "
        "a face must be in view, and not much smaller than a tenth of the picture; "
        "--fallback auto sends such a clip as ordinary video"
    )


def _remarks(clip: Clip, tally: Tally) -> Iterator[str]:
    """What a user should know of the pictures sent."""
    if tally.fallback_pictures:
        why = "" if clip.options.fallback == "always" else ": no face that generation can use"
        yield (
            f"{clip.source}: {tally.fallback_pictures} of {tally.frames} pictures are sent as "
            f"ordinary video{why}"
        )
    if tally.low_confidence_pictures:
        yield (
            f"{clip.source}: {tally.low_confidence_pictures} of {tally.frames} pictures show no "
            "face; the face stands still there"
        )


def _face_units(clip: Clip, writer: StreamWriter, settings: RateSettings) -> FaceUnits:
    """What turns face parameters into messages."""
    options = clip.options
    if options.low_delay:
        return ImmediateUnits(clip.model.layout, clip.card, writer)
    taken = {name: name not in options.without for name in DECISIONS}
    interval = symbol_interval(options.symbol_rate, clip.rate)
    decisions = SymbolSettings(settings.symbol_price, Switches(interval, **taken))
    layout, pool = clip.model.layout, options.reference_pool
    return DecidedUnits(layout, clip.card, writer, decisions, pool)
