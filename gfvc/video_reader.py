"""Reading any video as RGB pictures at a constant rate."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import numpy as np

from gfvc.errors import InputError
from gfvc.limits import MAX_SIDE
from gfvc.media_edits import misplaced_parts
from gfvc.options.encoding import MAX_RATE
from gfvc.rectangle import Rectangle
from gfvc.stream.faces_in_video import refuse_faces
from gfvc.telling import Notes, unheard
from gfvc.video.behind import refuse_joined, what_is_behind
from gfvc.video.clock import MAX_STILL_SECONDS
from gfvc.video.cropping import Cropping, cropping_of
from gfvc.video.even_times import EvenTimes
from gfvc.video.frames import (
    Entry,
    TimedFrame,
    decoded_frames,
)
from gfvc.video.opening import open_video
from gfvc.video.raw import RAW_RATE
from gfvc.video.sound import SoundLength, programme_sound
from gfvc.video.stated import (
    pixel_width,
    stated_rate,
    stated_seconds,
)
from gfvc.video.stream_choice import choose_stream
from gfvc.video.transparency import NOTE, has_transparent_parts, states_transparency
from models.contract import Picture

# Pictures are repeated at most so often on the average, but for clips of a few minutes, or while
# there is sound.
_MAX_REPEATS = 60
_FREE_SECONDS = 300
# Of pictures that tremble a few may be left out.
_FEW = 0.02


@dataclass(frozen=True, slots=True)
class PictureEntry:
    """A place in a file at which reading can start: the number of its first picture, and the frame.

    What a decoder makes of a file from there on need not be what it makes of all of it, where a
    file says that it can be entered and lies.
    """

    picture: int
    frame: Entry


@dataclass(frozen=True, slots=True)
class VideoProperties:
    """What a video file says of itself.

    `width` and `height` are those of the pictures as shown (cropped, pixels made square, turned the
    right way), `rate` pictures per second, mostly, `seconds` the stated duration or None,
    `has_audio` whether sound goes with it, `note` which of several video streams is read, if so,
    `rate_note` how `rate` differs from that of the file, if it does.
    """

    width: int
    height: int
    rate: Fraction
    seconds: float | None
    has_audio: bool
    note: str | None = None
    rate_note: str | None = None


def probe_video(path: Path) -> VideoProperties:
    """Read a video's properties.

    Raises `InputError` when it is no video, cannot be read, or has to be decoded by gfvc first.
    """
    with open_video(path) as (container, stream):
        refuse_faces(path, container, stream)
        refuse_joined(path, container)
    with contextlib.closing(decoded_frames(path, unheard)) as frames:
        first = next(frames)
        frame = first.frame
    with open_video(path) as (container, stream):
        visible = cropping_of(container, stream).visible(frame.width, frame.height)
        size = _shown_width(visible.width, pixel_width(stream)), visible.height
        width, height = first.turn.orientation.shown_size(*size)
        if max(width, height) > MAX_SIDE:
            raise InputError(f"{path}: {width}x{height} is larger than {MAX_SIDE} a side")
        stated = stated_rate(path, stream)
        has_audio = bool(programme_sound(container, path))
        note = choose_stream(container, path).note
        if note is not None and container.streams.audio and not has_audio:
            note += "; what sound there is belongs to another programme, and is left out"
        return VideoProperties(
            width,
            height,
            stated.read,
            stated_seconds(container),
            has_audio,
            note,
            None if stated.note is None else f"{path}: {stated.note}",
        )


def read_pictures(
    path: Path,
    rate: Fraction,
    crop: Rectangle | None = None,
    notes: Notes = unheard,
    *,
    start: int = 0,
    entry: PictureEntry | None = None,
    entries: Callable[[PictureEntry], None] | None = None,
    own_rate: Fraction | None = None,
) -> Iterator[Picture]:
    """Pictures uint8 [height, width, 3] of BT.709 at `rate` a second, as shown, then cropped.

    Hidden edges are cut off, pixels made square, pictures turned the right way, and interlaced ones
    deinterlaced. Each output time shows the picture that the file shows then, give or take half an
    output period, or the nearest of several that are closer than a period; so a file that already
    has the rate passes unchanged and one of variable rate is made constant. There is one picture at
    least. A raw stream that states no rate has `own_rate` pictures a second, by default 25. Few
    decoded pictures are held. Pictures before number `start`, counted from 0, are decoded and left
    out, from `entry` on where one at or before `start` is given; `entries` is told of those that
    are met. `notes` is told what was changed that a user should know. Raises `InputError` when the
    file is damaged, changes its picture size or shape, or asks for far more pictures than it holds,
    and when it cannot be entered.
    """
    with open_video(path) as (container, stream):
        refuse_joined(path, container)
        cropping = cropping_of(container, stream)
        converter = _Converter(path, pixel_width(stream), cropping, crop, notes)
        if states_transparency(stream):
            converter.tell(NOTE)
        converter.tell(what_is_behind(path, container))
        converter.tell(misplaced_parts(path, container, stream.id))
        stated = stated_rate(path, stream)
        lacks_rate = stated.lack is not None
    scale = float(RAW_RATE / own_rate) if lacks_rate and own_rate else 1.0
    picture: Picture | None = None
    shown: TimedFrame | None = None  # not converted yet
    first = 0 if entry is None else entry.picture
    # Who asks for fewer pictures knows, as who was told that no more are ever read.
    tell_lost = notes if MAX_RATE > stated.read <= rate else unheard
    timed = _at_rate(path, rate, scale, notes, entry, entries, tell_lost)
    for number, frame in enumerate(timed, first):
        if not isinstance(frame, _Repeat):
            shown = frame
        if number < start:
            continue
        if shown is not None:
            picture, shown = converter.convert(shown), None
        assert picture is not None
        yield picture


@dataclass(slots=True)
class _Converter:
    """From decoded frames to RGB pictures as shown, cropped."""

    path: Path
    pixel_width: Fraction
    cropping: Cropping
    crop: Rectangle | None
    notes: Notes
    told: set[str] = field(default_factory=set)

    def convert(self, timed: TimedFrame) -> Picture:
        import cv2

        from gfvc.colour import UnknownColourError, colour_of, frame_to_rgb
        from gfvc.video.brightness import is_bright

        frame, crop, orientation = timed.frame, self.crop, timed.turn.orientation
        visible = self.cropping.visible(frame.width, frame.height)
        size = _shown_width(visible.width, self.pixel_width), visible.height
        self._check_crop(*orientation.shown_size(*size))
        self._tell_of(timed)
        try:
            colour = colour_of(frame)
            bright = colour.is_hdr and is_bright(self.path)
            self.tell(colour.describe())
            if crop is not None and self.pixel_width == 1:
                part = orientation.stored_part(crop, visible.width, visible.height)
                left, top = visible.left + part.left, visible.top + part.top
                window = left, top, part.width, part.height
                stored = frame_to_rgb(frame, window, bright=bright)
                return np.ascontiguousarray(orientation.show(stored))
            picture = frame_to_rgb(frame, visible.window, bright=bright)
        except UnknownColourError as error:
            raise InputError(f"{self.path}: {error}; convert it first") from None
        if self.pixel_width != 1:
            resized = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
            picture = np.asarray(resized, np.uint8)
        shown = orientation.show(picture)
        return np.ascontiguousarray(shown if crop is None else crop.cut(shown))

    def _check_crop(self, width: int, height: int) -> None:
        crop = self.crop
        if crop is not None and not crop.is_within(width, height):
            raise InputError(
                f"{self.path}: has pictures of {width}x{height}, of which there is no part of "
                f"{crop.width}x{crop.height} at ({crop.left}, {crop.top})"
            )

    def _tell_of(self, timed: TimedFrame) -> None:
        """What of a frame is not as the file asks for."""
        frame, slant = timed.frame, timed.turn.slant
        if self.cropping.leaves_nothing(frame.width, frame.height):
            self.tell("says that all of its pictures is hidden; they are shown")
        if slant is not None:
            self.tell(
                f"is to be shown turned by {slant:.0f} degrees; it is turned by quarter turns "
                "only, to the nearest"
            )
        if NOTE not in self.told and has_transparent_parts(frame):
            self.tell(NOTE)

    def tell(self, what: str | None) -> None:
        """Note something of the file, once."""
        if what is not None and what not in self.told:
            self.told.add(what)
            self.notes(f"{self.path}: {what}")


def _shown_width(width: int, pixel_width: Fraction) -> int:
    return max(1, round(width * pixel_width))


class _Repeat:
    """Stands for the frame before, so that it is not converted to RGB twice."""


_REPEAT = _Repeat()


def _at_rate(
    path: Path,
    rate: Fraction,
    scale: float,
    notes: Notes,
    entry: PictureEntry | None,
    entries: Callable[[PictureEntry], None] | None,
    tell_lost: Notes,
) -> Iterator[TimedFrame | _Repeat]:
    """The frame that is shown at each multiple of 1 / rate, from an entry on; times are scaled.

    `tell_lost` is told where more than a few frames are not shown at all.
    """
    period = float(1 / rate)
    even = EvenTimes(period, 0 if entry is None else entry.picture)
    decoded = before = 0 if entry is None else entry.frame.frames
    lost = 0
    sound = SoundLength(path)
    held: TimedFrame | None = None
    for coming in decoded_frames(path, notes, None if entry is None else entry.frame, sound):
        decoded += 1
        if scale != 1:
            coming = replace(coming, time=coming.time * scale, stays=coming.stays * scale)
        if held is not None:
            if coming.time <= held.time:
                lost += 1
                continue  # a repeated time stamp shows nothing
            until = even.end(held.time, coming.time)
            _check_repeats(path, max(even.shown, math.ceil(until / period)), decoded, rate, sound)
            shows = even.show(held.time, coming.time)
            yield from _shown(held, shows)
            lost += not shows
        held = coming
        if entries is not None and coming.entry is not None:
            entries(PictureEntry(even.shown, coming.entry))
    if held is not None:
        until = held.time + held.stays - period / 2
        _check_repeats(path, max(even.shown, math.ceil(until / period)), decoded, rate, sound)
        shows = even.show_last(until)
        yield from _shown(held, shows)
        lost += not shows
    if lost > max(1.0, _FEW * (decoded - before)):
        tell_lost(
            f"{path}: {lost} of its {decoded - before} pictures come closer together than at "
            f"{float(rate):.4g} a second and are left out; --fps takes more"
        )


def _shown(frame: TimedFrame, times: int) -> Iterator[TimedFrame | _Repeat]:
    """A frame that is shown so many times."""
    if times:
        yield frame
    yield from repeat(_REPEAT, times - 1)


def _check_repeats(
    path: Path, shown: int, decoded: int, rate: Fraction, sound: SoundLength
) -> None:
    """Raise `InputError` where far more pictures are to be shown than were decoded, or heard of."""
    most = max(_MAX_REPEATS * decoded, round(_FREE_SECONDS * rate))
    if shown > most and shown > (sound.seconds + MAX_STILL_SECONDS) * rate:
        raise InputError(
            f"{path}: its time stamps make {shown} pictures of {decoded}; that cannot be "
            "meant; repair them first, or ask for fewer pictures a second (--fps)"
        )
