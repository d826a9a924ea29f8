"""From a talking-head video to one VVC or HEVC stream with generative face video messages."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from gfvc.encoding.clip import Clip
from gfvc.encoding.coding_pass import REMEMBERED_PICTURES, CodedClip, code_clip
from gfvc.encoding.executor import Tally
from gfvc.encoding.reduced_size import check_coded_size, reduce
from gfvc.encoding.target_bitrate import code_at_bitrate
from gfvc.errors import InputError, OutputError
from gfvc.framing import Framing, checked_size, frame
from gfvc.given import check_call, input_file, output_file
from gfvc.options.encoding import EncodeOptions
from gfvc.output import StrPath, check_writable, replaced_when_complete
from gfvc.rate_control.ladder import RateSettings, settings_asked_for
from gfvc.scaling import Size
from gfvc.stream.information import StreamInformation
from gfvc.stream.names import MP4_SUFFIX, choose_codec, is_mp4
from gfvc.stream.shown_size import ShownSize
from gfvc.telling import Notes, Progress, Stage, passes_on, unheard
from gfvc.video.left_out import tell_of_other_sound, tell_of_the_rest
from gfvc.video.sound import SoundCoding, check_sound, is_heard
from gfvc.video_reader import VideoProperties, probe_video
from gfvc.whole_pictures.model import of_whole_pictures
from models import AnimationModel, Registry, default_registry
from models.post_filter import FACES, WHOLE

MOST_FILTERED = 384 * 384
"""Pixels of a picture that the post-filter is thought of, unless it is asked for.

They are those of the whole picture, or, in larger ones, of the face squares together. More take
longer than two cores have time for, where all pictures are coded and there are 25 a second.
"""


@dataclass(frozen=True, slots=True)
class EncodeSummary:
    """What was encoded: `tally` of pictures, by kind, as `options` asked for.

    `size` is the width and height of the coded pictures in pixels, `shown_size` that of those that
    come out, `halved` whether a post-filter makes the one of the other; `rate` is how many there
    are a second. Bits: `sei_bits` are the NAL units with face parameters and user data,
    `sound_bits` what the sound adds to the file, `base_bits` the rest. `seconds` are wall time, and
    `base_codec_seconds` what of it the programs of the base codec took. `settings` are those that
    made it, found in `trials` passes over the clip if a bitrate was asked for.
    """

    tally: Tally
    options: EncodeOptions
    size: Size
    shown_size: Size
    halved: bool
    rate: Fraction
    model: str
    codec: str
    base_bits: int
    sei_bits: int
    sound_bits: int
    seconds: float
    base_codec_seconds: float
    settings: RateSettings
    trials: int

    @property
    def frames(self) -> int:
        """Output pictures."""
        return self.tally.frames

    @property
    def key_pictures(self) -> int:
        """Key pictures."""
        return self.tally.key_pictures

    @property
    def low_confidence_pictures(self) -> int:
        """Pictures without a face, which stands still there."""
        return self.tally.low_confidence_pictures

    @property
    def fallback_pictures(self) -> int:
        """Pictures of ordinary video, all coded by the base codec and none a key picture."""
        return self.tally.fallback_pictures

    @property
    def pictures_from_earlier_keys(self) -> int:
        """Pictures driven by another key picture than the last (`EncodeOptions.reference_pool`)."""
        return self.tally.pictures_from_earlier_keys

    @property
    def width(self) -> int:
        """Width of the coded pictures."""
        return self.size[0]

    @property
    def height(self) -> int:
        """Height of the coded pictures."""
        return self.size[1]

    @property
    def target_bitrate(self) -> float | None:
        """Bits per second that were asked for, if any."""
        return self.options.bitrate

    @property
    def total_bits(self) -> int:
        """Eight times the size of the file."""
        return self.base_bits + self.sei_bits + self.sound_bits

    @property
    def kilobits_per_second(self) -> float:
        """All bits but those of the sound, over the clip's duration."""
        return (self.base_bits + self.sei_bits) * float(self.rate) / self.frames / 1000

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc encode --json` prints."""
        counts = asdict(self.tally)
        del counts["cheaper_pictures"]  # they are among fallback_pictures
        return {
            "frames": counts.pop("frames"),
            "fps": float(self.rate),
            "width": self.width,
            "height": self.height,
            "shown_width": self.shown_size[0],
            "shown_height": self.shown_size[1],
            **counts,
            "model": self.model,
            "codec": self.codec,
            "bits": {
                "base": self.base_bits,
                "sei": self.sei_bits,
                "sound": self.sound_bits,
                "total": self.total_bits,
            },
            "kbps": self.kilobits_per_second,
            "target_kbps": None if self.target_bitrate is None else self.target_bitrate / 1000,
            "trials": self.trials,
            "key_qp": self.settings.key_qp,
            "symbol_price": self.settings.symbol_price,
            "coded_qp": self.settings.coded_qp,
            "coded_interval": (
                None if self.settings.coded_price is not None else self.settings.coded_seconds
            ),
            "seconds": self.seconds,
            "base_codec_seconds": self.base_codec_seconds,
            "options": self.options.to_json(),
        }


@passes_on
def encode(
    source: StrPath,
    output: StrPath,
    options: EncodeOptions = EncodeOptions(),
    *,
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = unheard,
    progress: Progress = unheard,
    stage: Stage = unheard,
) -> EncodeSummary:
    """Encode a video file.

    The suffix of `output` says how: .266 or .vvc, and .265 or .hevc, a byte stream; .mp4 a file
    that holds one; .bin, .bit and none leave the codec to `options`. `force` replaces `output`
    where it exists; models come from `registry`, those that are installed by default. `notes` is
    told what a user should know; `progress` gets the number of pictures done and the expected total
    or None; `stage` is told about each pass over the clip, if there are several. Raises
    `GfvcError`, `ModelError` or `BaseCodecError`, and `TypeError` for what is none of these; then
    `output` is as it was.
    """
    started = time.perf_counter()
    source, output = input_file(source), output_file(output)
    check_call(
        (options, EncodeOptions), force, registry, notes=notes, progress=progress, stage=stage
    )
    choose_codec(output, options.codec)  # before all else
    check_writable(output, force=force, sources=[source])
    seen = look_at(source, output, options, registry=registry, notes=notes)
    clip = clip_of(source, output, options, seen, registry)
    with replaced_when_complete(output, force=force, sources=[source]) as temporary:
        coded, trials = _code(clip, temporary.parent, is_mp4(output), progress, stage)
        sound_bytes = write_output(coded, temporary, source, seen.sound)
        total_bytes = temporary.stat().st_size
        for note in coded.notes:
            notes(note)
    return summary_of(coded, total_bytes, sound_bytes, time.perf_counter() - started, trials)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is found out about a source before it is coded.

    `video` is what the file says of itself, `framing` what of it is coded, `sound` how its sound
    goes with it, None if not.
    """

    video: VideoProperties
    framing: Framing
    sound: SoundCoding | None


def look_at(
    source: Path,
    output: Path,
    options: EncodeOptions,
    *,
    registry: Registry | None = None,
    notes: Notes = unheard,
) -> SourceFacts:
    """Look through a source, and check that it can be coded as asked; raises as `encode`."""
    choose_codec(output, options.codec)
    (registry or default_registry()).find(options.registered_model)
    video = probe_video(source)
    if video.note is not None:
        notes(video.note)
    if video.rate_note is not None and options.rate is None:
        notes(f"{video.rate_note}; --fps takes another rate")
    shown = checked_size(source, video.width, video.height, options)
    check_coded_size(source, shown, options)
    sound = _sound(source, output, options, video, notes)
    if sound is not None:
        tell_of_other_sound(source, notes)
    tell_of_the_rest(source, notes)
    framing = frame(source, video.width, video.height, options, notes)
    framing = reduce(source, framing, options, notes)
    return SourceFacts(video, framing, sound)


def clip_of(
    source: Path,
    output: Path,
    options: EncodeOptions,
    seen: SourceFacts,
    registry: Registry | None = None,
) -> Clip:
    """The clip to code, with its model loaded; raises as `encode`."""
    model = (registry or default_registry()).find(options.registered_model)
    video, framing = seen.video, seen.framing
    rate = options.rate or video.rate
    information = StreamInformation(
        rate,
        video.width,
        video.height,
        framing.crop,
        face_square=framing.square,
        shown_size=None if framing.shown_size is None else ShownSize(*framing.shown_size),
    )
    loaded = model.load(options.runtime)
    information = replace(information, post_filter=_post_filter(options, loaded, framing))
    # Others are drawn between two coded pictures.
    squares = framing.squares if loaded.draws_from_both else framing.squares[:1]
    clip = Clip(
        source=source,
        options=options,
        codec=choose_codec(output, options.codec),
        model=of_whole_pictures(loaded, squares),
        card=model.card,
        information=information,
        size=framing.size,
        expected=round(video.seconds * rate) if video.seconds else None,
    )
    if options.asks_for_sequences and not clip.codes_sequences:
        raise InputError(
            f"{source}: {model.card.name} draws from one key picture, so that no predicted coded "
            "pictures are of use; leave out --key-pictures auto, --coded-qp, --coded-interval and "
            "--reorder, or take --model mesh"
        )
    return clip


def _post_filter(options: EncodeOptions, model: AnimationModel, framing: Framing) -> int:
    """The number of the post-filter that coded pictures may go by."""
    if options.post_filter is not None:
        return WHOLE if options.post_filter else 0
    one_by_one = options.low_delay or options.reference_pool > 1 or options.key_pictures == "fixed"
    if one_by_one or not model.wants_post_filter:
        return 0
    if framing.size[0] * framing.size[1] <= MOST_FILTERED:
        return WHOLE
    of_faces = sum(square.side**2 for square in framing.squares)
    return FACES if 0 < of_faces <= MOST_FILTERED else 0


def write_output(coded: CodedClip, output: Path, source: Path, sound: SoundCoding | None) -> int:
    """Make the output of a coded clip; how many bytes of it are sound."""
    if not is_mp4(output):
        coded.stream.replace(output)
        return 0
    coded.write_mp4(output)
    if sound is None:
        return 0
    silent_bytes = output.stat().st_size
    coded.write_mp4(output, source, sound)
    return output.stat().st_size - silent_bytes


def summary_of(
    coded: CodedClip, total_bytes: int, sound_bytes: int, seconds: float, trials: int = 1
) -> EncodeSummary:
    """The summary of a coded clip whose output has so many bytes."""
    clip, part = coded.clip, coded.part
    return EncodeSummary(
        tally=part.tally,
        options=clip.options,
        size=clip.coded_size(coded.settings),
        shown_size=clip.shown_size,
        halved=clip.halves(coded.settings),
        rate=clip.rate,
        model=clip.card.name,
        codec=clip.codec,
        base_bits=8 * (total_bytes - part.sei_bytes - sound_bytes),
        sei_bits=8 * part.sei_bytes,
        sound_bits=8 * sound_bytes,
        seconds=seconds,
        base_codec_seconds=part.base_codec_seconds,
        settings=coded.settings,
        trials=trials,
    )


def _code(
    clip: Clip, folder: Path, in_mp4: bool, progress: Progress, stage: Stage
) -> tuple[CodedClip, int]:
    """Code a clip into a file in `folder`; what came out, and after how many passes."""
    bitrate = clip.options.bitrate
    with clip.model.open_analyser(clip.options.align) as analyser:
        if bitrate is not None or clip.codes_sequences:
            analyser.remember(REMEMBERED_PICTURES)
        if bitrate is not None:
            return code_at_bitrate(
                clip, bitrate, folder, analyser, in_mp4=in_mp4, progress=progress, stage=stage
            )
        settings = settings_asked_for(clip.options, clip.coding)
        return code_clip(clip, settings, folder / "coded.stream", analyser, progress), 1


def _sound(
    source: Path, output: Path, options: EncodeOptions, video: VideoProperties, notes: Notes
) -> SoundCoding | None:
    """How the source's sound goes into the output, None if it does not.

    Raises `InputError` or `OutputError` where it cannot.
    """
    if options.audio != "none":
        if not is_mp4(output):
            raise OutputError(
                f"{output}: only an {MP4_SUFFIX} file can hold sound (--audio {options.audio})"
            )
        if video.has_audio:
            check_sound(source, options.audio)
            return options.audio if is_heard(source, notes) else None
        notes(f"{source}: has no sound to keep")
    elif video.has_audio:
        hint = "; --audio copy keeps it" if is_mp4(output) else ""
        notes(f"{source}: the sound is left out{hint}")
    return None
