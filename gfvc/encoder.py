"""From a talking-head video to one VVC or HEVC stream with generative face video messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from gfvc.crop import choose_crop, require_square
from gfvc.default_model import choose_model
from gfvc.encoding.coding_pass import Clip, CodedClip, Progress, code_clip
from gfvc.encoding.target_bitrate import Stage, code_at_bitrate
from gfvc.errors import InputError, OutputError
from gfvc.options.encoding import EncodeOptions
from gfvc.output import check_writable, replaced_when_complete
from gfvc.rate_control import RateSettings, settings_asked_for
from gfvc.stream.information import StreamInformation
from gfvc.stream.names import MP4_SUFFIX, choose_codec
from gfvc.video.sound import SoundCoding, check_sound
from gfvc.video_reader import VideoProperties, probe_video
from models import Registry, default_registry

Notes = Callable[[str], None]

MIN_SIDE = 64


@dataclass(frozen=True, slots=True)
class EncodeSummary:
    """What was encoded.

    `fallback_pictures` are those that are ordinary video, all of them coded by the base codec and
    none a key picture; `pictures_from_earlier_keys` are driven by another key picture than the
    last one before them (`EncodeOptions.reference_pool`). Bits: `sei_bits` are the NAL units with
    face parameters and user data, `sound_bits` what the sound adds to the file, `base_bits` the
    rest. `settings` are those that made it, found in `trials` passes over
    the clip if `target_bitrate` (bits per second) was asked for.
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
    sound_bits: int
    seconds: float
    base_codec_seconds: float
    fallback_pictures: int
    pictures_from_earlier_keys: int
    settings: RateSettings
    target_bitrate: float | None
    trials: int

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
        return {
            "frames": self.frames,
            "fps": float(self.rate),
            "width": self.width,
            "height": self.height,
            "key_pictures": self.key_pictures,
            "low_confidence_pictures": self.low_confidence_pictures,
            "fallback_pictures": self.fallback_pictures,
            "pictures_from_earlier_keys": self.pictures_from_earlier_keys,
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
            "seconds": self.seconds,
            "base_codec_seconds": self.base_codec_seconds,
        }


def _ignore(*_: object) -> None:
    """Default for notes and progress."""


def encode(
    source: Path,
    output: Path,
    options: EncodeOptions = EncodeOptions(),
    *,
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = _ignore,
    progress: Progress = _ignore,
    stage: Stage = _ignore,
) -> EncodeSummary:
    """Encode a video file.

    `notes` is told what a user should know; `progress` gets the number of pictures done and the
    expected total or None; `stage` is told about each pass over the clip, if there are
    several. Raises `GfvcError`, `ModelError` or `BaseCodecError`; then `output` is
    as it was.
    """
    started = time.perf_counter()
    codec = choose_codec(output, options.codec)
    check_writable(output, force=force, sources=[source])
    model = (registry or default_registry()).find(
        choose_model(options.model, options.features, options.size)
    )
    video = probe_video(source)
    if min(video.width, video.height) < MIN_SIDE:
        raise InputError(
            f"{source}: is {video.width}x{video.height}; pictures need at least {MIN_SIDE} a side"
        )
    if video.note is not None:
        notes(video.note)
    sound = _sound(source, output, options, video, notes)
    rate = options.rate or video.rate
    if options.crop == "none":
        crop = require_square(source, video.width, video.height)
    else:
        crop = choose_crop(source, video.width, video.height, options.size)
    clip = Clip(
        source=source,
        options=options,
        codec=codec,
        model=model.load(options.runtime),
        card=model.card,
        information=StreamInformation(rate, video.width, video.height, crop),
        expected=round(video.seconds * rate) if video.seconds else None,
    )
    with replaced_when_complete(output, force=force, sources=[source]) as temporary:
        in_mp4 = output.suffix.lower() == MP4_SUFFIX
        coded, trials = _code(clip, temporary.parent, in_mp4, progress, stage)
        sound_bytes = 0
        if not in_mp4:
            coded.stream.replace(temporary)
        elif sound is None:
            coded.write_mp4(temporary)
        else:
            sound_bytes = _write_with_sound(coded, temporary, source, sound)
        total_bytes = temporary.stat().st_size
    for note in coded.notes:
        notes(note)
    return EncodeSummary(
        **asdict(coded.tally),
        rate=rate,
        width=options.size,
        height=options.size,
        model=model.card.name,
        codec=codec,
        base_bits=8 * (total_bytes - coded.sei_bytes - sound_bytes),
        sei_bits=8 * coded.sei_bytes,
        sound_bits=8 * sound_bytes,
        seconds=time.perf_counter() - started,
        base_codec_seconds=coded.base_codec_seconds,
        settings=coded.settings,
        target_bitrate=options.bitrate,
        trials=trials,
    )


def _code(
    clip: Clip, folder: Path, in_mp4: bool, progress: Progress, stage: Stage
) -> tuple[CodedClip, int]:
    """Code a clip into a file in `folder`; what came out, and after how many passes."""
    bitrate = clip.options.bitrate
    with clip.model.open_analyser(clip.options.align) as analyser:
        if bitrate is not None:
            return code_at_bitrate(
                clip, bitrate, folder, analyser, in_mp4=in_mp4, progress=progress, stage=stage
            )
        settings = settings_asked_for(clip.options, clip.codec)
        return code_clip(clip, settings, folder / "coded.stream", analyser, progress), 1


def _write_with_sound(coded: CodedClip, output: Path, source: Path, coding: SoundCoding) -> int:
    """Write an MP4 file with the source's sound; by how many bytes that makes it larger."""
    silent = output.with_name(f"silent{MP4_SUFFIX}")
    coded.write_mp4(silent)
    silent_bytes = silent.stat().st_size
    silent.unlink()
    coded.write_mp4(output, source, coding)
    return output.stat().st_size - silent_bytes


def _sound(
    source: Path, output: Path, options: EncodeOptions, video: VideoProperties, notes: Notes
) -> SoundCoding | None:
    """How the source's sound goes into the output, None if it does not.

    Raises `InputError` or `OutputError` where it cannot.
    """
    if options.audio != "none":
        if output.suffix.lower() != MP4_SUFFIX:
            raise OutputError(
                f"{output}: only an {MP4_SUFFIX} file can hold sound (--audio {options.audio})"
            )
        if video.has_audio:
            check_sound(source, options.audio)
            return options.audio
        notes(f"{source}: has no sound to keep")
    elif video.has_audio:
        hint = "; --audio copy keeps it" if output.suffix.lower() == MP4_SUFFIX else ""
        notes(f"{source}: the sound is left out{hint}")
    return None
