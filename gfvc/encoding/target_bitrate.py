"""Coding a clip at a bitrate: passes with settings that come nearer and nearer.

Each trial is a whole pass, so that coded pictures, messages and ordinary video are all in the rate.
What takes longest, looking for the face in the pictures, is done once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gfvc.encoding.clip import Clip
from gfvc.encoding.coding_pass import CodedClip, code_clip
from gfvc.errors import InputError, KeyPictureTooCoarseError
from gfvc.rate_control.ladder import RateSettings, default_step, ladder
from gfvc.rate_control.search import TOLERANCE, Measured, find_settings
from gfvc.telling import Progress, Stage
from models import Analyser


def code_at_bitrate(
    clip: Clip,
    bitrate: float,
    folder: Path,
    analyser: Analyser,
    *,
    in_mp4: bool,
    progress: Progress,
    stage: Stage,
) -> tuple[CodedClip, int]:
    """Code a clip at `bitrate` bits per second, within `TOLERANCE`.

    Streams of passes go into `folder`, where that of the best one stays. `in_mp4` says that the
    bits of an MP4 file around it count; sound does not. `stage` is told about each pass. Returns
    what the best pass made and the number of passes. Raises `InputError` when the bitrate cannot
    be met, and what `code_clip` raises.
    """
    trials = _Trials(clip, bitrate / 1000, folder, analyser, in_mp4, progress, stage)
    best = find_settings(
        bitrate / 1000,
        ladder(clip.coding),
        default_step(clip.coding),
        trials.measure,
        multiplier_matters=not clip.options.low_delay and clip.options.fallback != "always",
    )
    coded = trials.best
    if best is None or coded is None:
        assert trials.too_coarse is not None
        raise trials.too_coarse
    if abs(best.rate * 1000 / bitrate - 1) > TOLERANCE:
        asked, advice = round(bitrate / 1000, 3), _advice(clip, best.rate * 1000 > bitrate)
        raise InputError(
            f"{clip.source}: cannot be coded at {asked:.10g} kbit/s; the nearest that can be "
            f"reached is {best.rate:.2f} kbit/s{advice}"
        )
    return coded, trials.count


def _advice(clip: Clip, too_much: bool) -> str:
    if too_much:
        advice = "; ask for that, or for fewer or smaller key pictures (--key-interval, --size)"
        return f"{advice}, or for --view face" if clip.options.whole_pictures else advice
    return "; ask for that, or for more or larger key pictures (--key-interval, --size)"


@dataclass(slots=True)
class _Trials:
    """Passes so far; the stream of the best of them is kept."""

    clip: Clip
    target: float
    folder: Path
    analyser: Analyser
    in_mp4: bool
    progress: Progress
    stage: Stage
    count: int = 0
    best: CodedClip | None = None
    best_rate: float = 0.0
    too_coarse: KeyPictureTooCoarseError | None = None

    def measure(self, settings: RateSettings) -> Measured | None:
        """Code with the settings; what came of it, None where key pictures are too coarse."""
        self.count += 1
        self.stage(f"trial {self.count}: {settings.arguments}")
        self.analyser.rewind()
        stream = self.folder / f"trial{self.count}"
        try:
            coded = code_clip(self.clip, settings, stream, self.analyser, self.progress)
        except KeyPictureTooCoarseError as error:
            self.too_coarse = error
            stream.unlink()
            return None
        rate = 8 * self._bytes(coded) * float(self.clip.rate) / coded.part.tally.frames / 1000
        worse = coded
        if self.best is None or self._off(rate) < self._off(self.best_rate):
            worse, self.best, self.best_rate = self.best or coded, coded, rate
        if worse is not self.best:
            worse.stream.unlink()
        return Measured(rate, coded.part.lost_keys)

    def _off(self, rate: float) -> float:
        """How far a rate lies from the target, as a factor."""
        return max(rate / self.target, self.target / rate)

    def _bytes(self, coded: CodedClip) -> int:
        if not self.in_mp4:
            return coded.stream.stat().st_size
        file = coded.stream.with_suffix(".mp4")
        coded.write_mp4(file)
        size = file.stat().st_size
        file.unlink()
        return size
