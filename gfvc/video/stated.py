"""What a video file states of its pictures: rate, duration, shape of pixels; believed with care."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.errors import InputError
from gfvc.media_files import VIDEO_FORMATS, media_errors, open_media
from gfvc.media_packets import packets_of
from gfvc.options.encoding import MAX_RATE, MIN_RATE
from gfvc.video.raw import RAW_RATE, Raw, raw_of, raw_steps
from gfvc.video.usual_rate import unrounded, usual_rate

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_DEFAULT_RATE = Fraction(25)
# An average below comes of a gap in the time stamps, or is that of a slide show; one above of DV
# files, or is that of slow motion.
_SLOW, _FAST = 8, 120
# By how much clocks of cameras are off.
_TREMBLES = Fraction(1, 100)
# What differs by more from the average is another rate.
_CLEARLY = Fraction(1, 20)

# Packets at the start of a file; where these are not all, parts of so many seconds tell of the
# whole, each of so many packets at most.
_LOOKED_AT = 500
_PARTS, _PART_SECONDS = 20, 2
# And of so many steps at least: files can often be entered right before a gap.
_PART_STEPS = 12

# Pixels of real video are less out of square than this.
_SLIMMEST = Fraction(1, 4)
# Nobody sees a picture that is so much wider.
_ALIKE = Fraction(1, 100)

# AV_FIELD_PROGRESSIVE of libavcodec.
_PROGRESSIVE = 1

# Google's WebP container specification: the flag in the header of the extended format.
_WEBP_FLAGS, _WEBP_ANIMATION = 20, 0x02


def stated_seconds(container: InputContainer) -> float | None:
    """The duration that a file states, or None."""
    return container.duration / 1_000_000 if container.duration else None


def pixel_width(stream: VideoStream) -> Fraction:
    """Width of a pixel over its height; 1 where the file does not say, or cannot mean it."""
    return _believed_width(stream.sample_aspect_ratio)


def _believed_width(stated: Fraction | None) -> Fraction:
    return stated if stated and _SLIMMEST <= stated <= 1 / _SLIMMEST else Fraction(1)


class PixelShape:
    """The shape of pixels in the coded pictures of a stream that is open, as it goes on.

    What a container states counts for all pictures. Where it only repeats what the first ones say,
    or says nothing, others may be stretched as the first.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        self._shown = stream.sample_aspect_ratio
        self._coded = self._context.sample_aspect_ratio
        self._is_first = True

    def check(self, label: str, seconds: float) -> None:
        """Raise `InputError` when pictures decoded last, at a time, have another than the first."""
        now = self._context.sample_aspect_ratio
        if self._is_first:
            self._is_first = False
            self._coded = self._coded or now
        if not now or (self._shown and self._shown != self._coded):
            return
        before, after = _believed_width(self._coded), _believed_width(now)
        if abs(after - before) > _ALIKE * before:
            # Which of them is first is not sure: a short file is decoded as it is opened.
            less, more = sorted((before, after))
            raise InputError(
                f"{label}: the shape of pixels changes at about {seconds:.1f} s, between "
                f"{_ratio(less)} and {_ratio(more)}; convert it to one shape first"
            )


def _ratio(width: Fraction) -> str:
    return f"{width.numerator}:{width.denominator}"


@dataclass(frozen=True, slots=True)
class StatedRate:
    """Pictures per second as a file has them, of which the read ones may be others.

    `average` is what it states for that, in Matroska any rate; `usual` is the rate that suits its
    pictures, where that is another. `lack` says of a raw stream what it states instead of a rate,
    and `average` is one that is as good as any.
    """

    average: Fraction
    usual: Fraction | None = None
    lack: str | None = None

    @property
    def read(self) -> Fraction:
        """Pictures per second that are read, in `MIN_RATE`..`MAX_RATE`."""
        return min(max(self._meant, MIN_RATE), MAX_RATE)

    @property
    def note(self) -> str | None:
        """What is read where that is not what the file states; None where it is, or nearly."""
        rate = self._meant
        if self.lack is not None:
            return f"{self.lack}; it is read at {_number(rate)} pictures a second"
        if rate > MAX_RATE * (1 + _TREMBLES):
            return f"has {_number(rate)} pictures a second; {MAX_RATE} of them are read"
        if rate < MIN_RATE * (1 - _TREMBLES):
            return f"has {float(rate):.3g} pictures a second; they are repeated to make {MIN_RATE}"
        # An average out of these bounds is hardly meant, and one a little off is a slip.
        is_meant = _SLOW <= self.average <= _FAST
        is_other = abs(rate - self.average) > _CLEARLY * self.average
        if self.usual is not None and is_meant and is_other:
            return (
                f"is of variable rate: states {_number(self.average)} pictures a second, and is "
                f"read at {_number(rate)}, which suits them better"
            )
        return None

    @property
    def _meant(self) -> Fraction:
        return self.average if self.usual is None else self.usual


def _number(rate: Fraction) -> str:
    return f"{round(float(rate), 2):.15g}"


def stated_rate(path: Path, stream: VideoStream) -> StatedRate:
    """Pictures per second of a file's chosen stream.

    The average, but where another suits its pictures better, that one: at the average, parts with a
    gap between them would lose pictures. That of a raw stream is what its headers say.
    Raises `InputError` as opening a file does.
    """
    status = path.stat()
    version = status.st_mtime_ns, status.st_size, stream.index
    raw = raw_of(stream)
    if raw is not None:
        return _rate_of_raw(path, *version, raw)
    average = Fraction(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)
    return StatedRate(average.limit_denominator(1001), _usual_rate(path, *version, average))


@lru_cache(maxsize=8)
def _rate_of_raw(path: Path, _modified: int, _size: int, index: int, raw: Raw) -> StatedRate:
    """The rate of a raw stream, by its headers and by how long its first pictures are shown."""
    with open_media(path, VIDEO_FORMATS) as container, media_errors(str(path)):
        stream = next(each for each in container.streams.video if each.index == index)
        tick = stream.time_base or Fraction(0)
        if raw.has_stamps:
            steps = [step for step in _steps(path, container, stream, _LOOKED_AT) if step]
        else:
            steps = raw_steps(path, container, stream, raw, _LOOKED_AT)
    is_known = raw.is_believed or (raw.has_stamps and bool(steps))
    if not is_known and len(steps) > 1:
        lack = "states no rate" if raw.rate is None else f"states a clock of {_number(raw.rate)} Hz"
        return StatedRate(RAW_RATE, None, lack)
    if not is_known or not steps:
        return StatedRate(raw.rate if raw.rate and raw.is_believed else RAW_RATE)
    # What is stated need not be what comes, as of film that is shown as fields.
    average = unrounded(sum(steps, Fraction(0)) / len(steps), tick / 20)
    if raw.rate and abs(average - raw.rate) <= _TREMBLES * raw.rate:
        average = raw.rate
    return StatedRate(average, _usual(steps, tick, average))


@lru_cache(maxsize=8)
def _usual_rate(
    path: Path, _modified: int, _size: int, index: int, average: Fraction
) -> Fraction | None:
    """The rate that suits the pictures of a stream, None where that is the average, or unknown."""
    is_hardly_meant = not _SLOW <= average <= _FAST
    with open_media(path, VIDEO_FORMATS) as container, media_errors(str(path)):
        stream = next(each for each in container.streams.video if each.index == index)
        tick = stream.time_base or Fraction(0)
        steps = _steps(path, container, stream, _LOOKED_AT)
        # In Matroska the average is any number, so that of a progressive stream is no sign of them.
        may_be_fields = stream.codec_context.field_order != _PROGRESSIVE
        usual = _usual(
            steps, tick, average, is_hardly_meant=is_hardly_meant, may_be_fields=may_be_fields
        )
        if usual is None or is_hardly_meant or len(steps) < _LOOKED_AT - 1:
            return usual
        steps = _steps_of_parts(path, container, stream)
        return _usual(steps, tick, average, may_be_fields=may_be_fields)


def _usual(
    steps: list[Fraction],
    tick: Fraction,
    average: Fraction,
    *,
    is_hardly_meant: bool = False,
    may_be_fields: bool = False,
) -> Fraction | None:
    """That rate by seconds from picture to picture, None where it is the average."""
    rate = usual_rate(steps, tick, average, believed=not is_hardly_meant)
    return None if rate and may_be_fields and _are_fields(steps, rate, average) else rate


def _are_fields(steps: list[Fraction], rate: Fraction, average: Fraction) -> bool:
    """Whether packets come evenly, two to a picture."""
    mean = len(steps) / sum(steps, Fraction(0))
    is_even = abs(mean - rate) <= _CLEARLY * rate
    return is_even and abs(rate - 2 * average) <= _TREMBLES * rate


def _steps(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    most: int,
    seconds: int | None = None,
) -> list[Fraction]:
    """Seconds from picture to picture in the next packets, of a length of time if given.

    Those that an edit list hides are none: their times may be among those of others. Where packets
    have no stamp, as in MPEG program streams, they share the time between those that have one.
    """
    times: list[Fraction] = []
    # By what packet, in the order of coding.
    decoded: list[tuple[int, Fraction]] = []
    count = 0
    for packet in packets_of(path, container, stream):
        if packet.is_discard or not packet.size:
            continue
        count += 1
        if packet.pts is None or packet.time_base is None:
            continue
        times.append(packet.pts * packet.time_base)
        stamp = packet.pts if packet.dts is None else packet.dts
        if decoded and decoded[-1] == (count - 1, stamp * packet.time_base):
            decoded.pop()  # of two packets with one stamp it is that of the second
        decoded.append((count, stamp * packet.time_base))
        is_long = seconds is not None and times[-1] > times[0] + seconds
        if count >= most or (is_long and len(times) > _PART_STEPS):
            break
    if len(times) < count:
        return [
            (later - earlier) / (after - before)
            for (before, earlier), (after, later) in pairwise(decoded)
            for _ in range(before, after)
        ]
    times.sort()
    return [after - before for before, after in pairwise(times)]


def _steps_of_parts(path: Path, container: InputContainer, stream: VideoStream) -> list[Fraction]:
    """Seconds from picture to picture, in parts of equal length all over a file.

    So there are the more of a rate the more pictures come at it.
    """
    import av

    steps: list[Fraction] = []
    start, length = container.start_time or 0, container.duration or 0
    for number in range(_PARTS):
        with contextlib.suppress(av.FFmpegError):  # a place that cannot be found, or read
            container.seek(start + length * number // _PARTS)
            steps += _steps(path, container, stream, _LOOKED_AT, _PART_SECONDS)
    return steps


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
