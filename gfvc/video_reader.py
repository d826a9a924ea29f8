"""Reading any video as RGB pictures at a constant rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gfvc.errors import InputError
from gfvc.options.encoding import MAX_RATE, MIN_RATE
from gfvc.rectangle import Rectangle

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

Picture = npt.NDArray[np.uint8]

MAX_SIDE = 16384
# Pixels of real video are less out of square than this.
_SLIMMEST = Fraction(1, 4)

# A file that ends this much before the duration that it states was cut off.
_CUT_SECONDS = 0.5
_CUT_SHARE = 0.02
# Time stamps of sloppy files tremble; those of another recording start anew.
_BACKWARDS_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class VideoProperties:
    """What a video file says of itself.

    `width` and `height` are those of the pictures as shown (pixels made square, rotation
    applied), `rate` pictures per second on the average, `seconds` the stated duration or None,
    `has_audio` whether sound goes with it.
    """

    width: int
    height: int
    rate: Fraction
    seconds: float | None
    has_audio: bool


def _open(path: Path) -> InputContainer:
    import av

    try:
        if not path.is_file():
            kind = "is not a file" if path.exists() else "no such file"
            raise InputError(f"{path}: {kind}")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty")
        # Absolute, since the library takes what is before a colon for a protocol.
        container = av.open(str(path.absolute()))
    except (av.FFmpegError, OSError, UnicodeError) as error:
        raise InputError(f"{path}: not a video that can be read ({_reason(error)})") from None
    if not container.streams.video:
        container.close()
        raise InputError(f"{path}: holds no video")
    return container


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0] if text else type(error).__name__


def _pixel_width(path: Path) -> Fraction:
    """Width of a pixel over its height; 1 where the file does not say, or cannot mean it."""
    with _open(path) as container:
        stated = container.streams.video[0].sample_aspect_ratio
    return stated if stated and _SLIMMEST <= stated <= 1 / _SLIMMEST else Fraction(1)


def _shown_width(width: int, pixel_width: Fraction) -> int:
    return max(1, round(width * pixel_width))


def _as_shown(frame: VideoFrame, pixel_width: Fraction) -> Picture:
    """A whole frame as RGB, with square pixels and the right way up."""
    import cv2

    from gfvc.colour import frame_to_rgb

    picture = frame_to_rgb(frame)
    if pixel_width != 1:
        size = (_shown_width(frame.width, pixel_width), frame.height)
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return _turned(picture, frame.rotation)


def _turned(picture: Picture, rotation: int) -> Picture:
    """Show a picture as its rotation metadata (degrees, counter-clockwise) asks for."""
    return np.rot90(picture, round(rotation / 90) % 4)


def _frames(path: Path) -> Iterator[tuple[float, VideoFrame]]:
    """Decoded frames with their times in seconds from the first; raise when the file is cut."""
    import av

    with _open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        fallback_rate = float(_rate(container))
        first: float | None = None
        count = 0
        end = 0.0
        last_is_whole = True
        try:
            for packet in container.demux():
                if packet.size:
                    last_is_whole = not packet.is_corrupt
                if packet.pts is not None and packet.size:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                if packet.stream.index != stream.index:
                    continue
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame)
                    time = frame.time if frame.time is not None else count / fallback_rate
                    first = time if first is None else first
                    count += 1
                    yield time - first, frame
        except av.FFmpegError as error:
            raise InputError(
                f"{path}: damaged or cut off after picture {count} ({_reason(error)}); "
                "get the whole file, or repair it first"
            ) from None
        if not count:
            raise InputError(f"{path}: holds no picture that can be decoded")
        if container.duration:
            stated = container.duration / av.time_base
            # Matroska counts its duration from time 0, wherever its first picture is.
            reached = end - min((container.start_time or 0) / av.time_base, 0.0)
            if not last_is_whole or reached < stated * (1 - _CUT_SHARE) - _CUT_SECONDS:
                raise InputError(
                    f"{path}: cut off at {reached:.1f} s of {stated:.1f} s; get the whole file"
                )


def _rate(container: InputContainer) -> Fraction:
    stream = container.streams.video[0]
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return min(max(Fraction(rate).limit_denominator(1001), MIN_RATE), MAX_RATE)


def probe_video(path: Path) -> VideoProperties:
    """Read a video's properties; raise `InputError` when it is none or cannot be read."""
    pixel_width = _pixel_width(path)
    for _, frame in _frames(path):
        with _open(path) as container:
            width, height = _shown_width(frame.width, pixel_width), frame.height
            if frame.rotation % 180:
                width, height = height, width
            if max(width, height) > MAX_SIDE:
                raise InputError(f"{path}: {width}x{height} is larger than {MAX_SIDE} a side")
            seconds = container.duration / 1_000_000 if container.duration else None
            return VideoProperties(
                width, height, _rate(container), seconds, bool(container.streams.audio)
            )
    raise InputError(f"{path}: holds no picture that can be decoded")


def read_pictures(path: Path, rate: Fraction, crop: Rectangle | None = None) -> Iterator[Picture]:
    """Pictures uint8 [height, width, 3] at `rate` per second, as they are shown, then cropped.

    Pixels are made square and rotation is applied. Each output time shows the nearest picture of
    the file, so a file that already has the rate passes unchanged and one of variable rate is made
    constant. Only two decoded pictures are held. Raises `InputError` when the file is damaged, or
    changes its picture size.
    """
    from gfvc.colour import frame_to_rgb

    pixel_width = _pixel_width(path)
    size: tuple[int, int] | None = None
    picture: Picture | None = None
    for frame in _nearest(path, rate):
        if isinstance(frame, _Repeat):
            assert picture is not None
            yield picture
            continue
        if size is not None and size != (frame.width, frame.height):
            raise InputError(
                f"{path}: the picture size changes from {size[0]}x{size[1]} to "
                f"{frame.width}x{frame.height}; convert it to one size first"
            )
        size = frame.width, frame.height
        if crop is not None and not frame.rotation and pixel_width == 1:
            picture = frame_to_rgb(frame, crop.window)
        else:
            picture = _as_shown(frame, pixel_width)
            if crop is not None:
                picture = crop.cut(picture)
        picture = np.ascontiguousarray(picture)
        yield picture


class _Repeat:
    """Stands for the frame before, so that it is not converted to RGB twice."""


_REPEAT = _Repeat()


def _nearest(path: Path, rate: Fraction) -> Iterator[VideoFrame | _Repeat]:
    """The frame nearest to each multiple of 1 / rate."""
    period = float(1 / rate)
    shown = 0
    held: tuple[float, VideoFrame] | None = None
    emitted = False
    for time, frame in _frames(path):
        if held is not None:
            if time < held[0] - _BACKWARDS_SECONDS:
                raise InputError(
                    f"{path}: its clock goes back from {held[0]:.2f} s to {time:.2f} s, as in "
                    "files joined byte by byte; join them with a video program"
                )
            if time <= held[0]:
                continue  # a repeated time stamp shows nothing
            middle = (held[0] + time) / 2
            while shown * period < middle:
                yield _REPEAT if emitted else held[1]
                emitted = True
                shown += 1
        held, emitted = (time, frame), False
    if held is not None:
        time, frame = held
        time_base = frame.time_base
        stays = float(frame.duration * time_base) if frame.duration and time_base else period
        while shown * period < time + stays - period / 2:
            yield _REPEAT if emitted else frame
            emitted = True
            shown += 1
