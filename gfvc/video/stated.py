"""What a video file states of its pictures: rate, duration, shape of pixels; believed with care."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from gfvc.media_files import VIDEO_FORMATS, media_errors, open_media
from gfvc.options.encoding import MAX_RATE, MIN_RATE

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_DEFAULT_RATE = Fraction(25)
# An average below comes of a gap in the time stamps, or is that of a slide show; one above of DV
# files, or is that of slow motion.
_SLOW, _FAST = 8, 120
_LOOKED_AT = 500  # packets
# By how much clocks of cameras are off.
_TREMBLES = Fraction(1, 100)

# Pixels of real video are less out of square than this.
_SLIMMEST = Fraction(1, 4)

# Google's WebP container specification: the flag in the header of the extended format.
_WEBP_FLAGS, _WEBP_ANIMATION = 20, 0x02


def stated_seconds(container: InputContainer) -> float | None:
    """The duration that a file states, or None."""
    return container.duration / 1_000_000 if container.duration else None


def pixel_width(stream: VideoStream) -> Fraction:
    """Width of a pixel over its height; 1 where the file does not say, or cannot mean it."""
    stated = stream.sample_aspect_ratio
    return stated if stated and _SLIMMEST <= stated <= 1 / _SLIMMEST else Fraction(1)


def picture_rate(path: Path, stream: VideoStream) -> Fraction:
    """Pictures per second of a file's chosen stream, in `MIN_RATE`..`MAX_RATE`."""
    return bounded_rate(stated_rate(path, stream))


def bounded_rate(stated: Fraction) -> Fraction:
    """The rate nearest to that of a file in `MIN_RATE`..`MAX_RATE`."""
    return min(max(stated, MIN_RATE), MAX_RATE)


def rate_note(stated: Fraction) -> str | None:
    """What becomes of a file that has more or fewer pictures a second than are read; None if not.

    `stated` is the file's rate.
    """
    if stated > MAX_RATE * (1 + _TREMBLES):
        return f"has {round(float(stated), 2):.15g} pictures a second; {MAX_RATE} of them are read"
    if stated < MIN_RATE * (1 - _TREMBLES):
        return f"has {float(stated):.3g} pictures a second; they are repeated to make {MIN_RATE}"
    return None


def stated_rate(path: Path, stream: VideoStream) -> Fraction:
    """Pictures per second of a file's chosen stream, as the file has them.

    The average, but where that is so low or high that something wrong may be in it, the usual
    distance between pictures counts.
    """
    rate = stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
    if not _SLOW <= rate <= _FAST:
        usual, tick = _usual_step(path, stream.index)
        # Whole milliseconds, as in Matroska, do not say it better than the average.
        if usual and abs(usual - 1 / Fraction(rate)) > tick:
            rate = 1 / usual
    return Fraction(rate).limit_denominator(1001)


def _usual_step(path: Path, index: int) -> tuple[Fraction | None, Fraction]:
    """Seconds from picture to picture, as most are apart, and the unit of their time stamps."""
    times: list[Fraction] = []
    tick = Fraction(0)
    with open_media(path, VIDEO_FORMATS) as container, media_errors(str(path)):
        for packet in container.demux(container.streams[index]):
            if packet.pts is not None and packet.time_base is not None:
                tick = packet.time_base
                times.append(packet.pts * tick)
            if len(times) == _LOOKED_AT:
                break
    times.sort()
    steps = [step for before, after in pairwise(times) if (step := after - before)]
    if not steps:
        return None, tick
    middle = median(steps)
    # Steps of one length differ by a unit where stamps are rounded to it.
    alike = [step for step in steps if abs(step - middle) <= tick]
    return sum(alike, Fraction(0)) / len(alike), tick


def is_animated_webp(path: Path) -> bool:
    """Tell from a file's header whether it is an animated WebP picture."""
    with path.open("rb") as file:
        head = file.read(_WEBP_FLAGS + 1)
    return (
        head[:4] == b"RIFF"
        and head[8:16] == b"WEBPVP8X"
        and len(head) > _WEBP_FLAGS
        and bool(head[_WEBP_FLAGS] & _WEBP_ANIMATION)
    )
