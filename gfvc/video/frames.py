"""Decoded frames of a file's video stream, whole and with times that can be believed."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError, let_deadline_by, system_errors
from gfvc.limits import MAX_SOURCE_AREA
from gfvc.media_files import reason, refuse_encrypted
from gfvc.media_packets import packets_of
from gfvc.telling import NOTICED_SECONDS, Notes
from gfvc.video.beginning import Beginning
from gfvc.video.clock import MAX_STILL_SECONDS, Clock
from gfvc.video.damage import Damage
from gfvc.video.file_end import ends_whole
from gfvc.video.filters import Deinterlacer
from gfvc.video.opening import open_video, set_threads
from gfvc.video.orientation import NO_TURN, Turn
from gfvc.video.sound import SoundLength
from gfvc.video.stamps import Stamps
from gfvc.video.stated import PixelShape, stated_rate, stated_seconds
from gfvc.video.stated_colour import StatedColour

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Those whose pictures can say how they are turned.
_WITH_TURNS = ("h264", "hevc")

# How much before a picture it is looked for.
_SEEK_SECONDS = 2

# A file that ends this much before the duration that it states was cut off.
_CUT_SECONDS = 0.5
_CUT_SHARE = 0.02
# What is damaged and says that it ends this much after that duration is no packet at all.
_SENSELESS_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame of a file at which decoding can start, by its time stamp, and what was before it.

    `frames` are those decoded before, `clock` is as it was then, `turn` that of the frame.
    """

    stamp: int
    frames: int
    clock: Clock = field(repr=False)
    turn: Turn = NO_TURN


class EntryLostError(InputError):
    """Decoding cannot start at an entry, though the file said so."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded frame, its time in seconds from the first, and for how long it is shown.

    `turn` is how it is shown, whichever frame said so, and `entry` the frame as one to start at, if
    it is.
    """

    frame: VideoFrame
    time: float
    stays: float
    turn: Turn = NO_TURN
    entry: Entry | None = None


def decoded_frames(
    path: Path, notes: Notes, start: Entry | None = None, sound: SoundLength | None = None
) -> Generator[TimedFrame, None, None]:
    """Frames of a video, all of one size, progressive, in order of their times.

    With `start` they begin there, and are what they are in the whole file. `sound` is that of the
    file, for who asks for it too. `notes` is told when fields were made whole pictures, when time
    stamps jumped, and how much at the start cannot be decoded. Raises `InputError` when the file is
    damaged or cut off, or changes its picture size or shape; `EntryLostError` when `start` is not
    found.
    """
    import av

    with open_video(path) as (container, stream):
        set_threads(container, stream)
        rate = stated_rate(path, stream).read
        seconds = stated_seconds(container)
        clock = Clock(float(1 / rate), seconds, str(path), sound or SoundLength(path))
        fields = _Fields(path, notes)
        damage = Damage(path, container, stream)
        beginning = Beginning(damage.decode)
        colour, pixels = StatedColour.of(stream), PixelShape(stream)
        stamps = Stamps(stream, float(1 / rate))
        count, turn = 0, NO_TURN
        has_turns = stream.codec_context.name in _WITH_TURNS
        if start is not None:
            clock, count, turn = copy(start.clock), start.frames, start.turn
            _seek(path, container, stream, start)
        begin = (container.start_time or 0) / av.time_base
        latest = max(begin, 0.0) + (seconds or 0.0) + _SENSELESS_SECONDS
        end = 0.0
        last_is_whole, has_more = True, False
        try:
            for packet in packets_of(path, container):
                ends = _end(packet)
                if packet.is_corrupt and seconds is not None and ends > latest:
                    has_more = True
                    continue
                end = max(end, ends)
                if packet.size:
                    last_is_whole = not packet.is_corrupt
                if packet.stream.index != stream.index:
                    continue
                refuse_encrypted(path, packet)
                if packet.is_discard and packet.is_keyframe and not count and has_turns:
                    turn = _hidden_turn(stream, bytes(packet), turn)
                stamps.sent(packet)
                for frame in beginning.decode(packet):
                    if not count:
                        _tell_of_lost(path, beginning.lost_before(frame), notes)
                    if start is not None:
                        if frame.pts is not None and frame.pts < start.stamp:
                            continue
                        if frame.pts != start.stamp:
                            raise EntryLostError(f"{path}: has no picture at {start.stamp}")
                        start = None
                    colour.complete(frame)
                    turn = turn.followed_by(frame)
                    stamp, entry = stamps.of(frame), None
                    stands_alone = not (fields.are_interlaced or stamps.are_of_coding)
                    if frame.key_frame and frame.pts is not None and stands_alone:
                        entry = Entry(frame.pts, count, copy(clock), turn)
                    count += 1
                    stays = None if stamps.are_of_coding else _stays(frame)
                    time, stays = clock.time(stamp), clock.stays(stays)
                    damage.see(frame, time)
                    pixels.check(str(path), time)
                    yield from fields.push(TimedFrame(frame, time, stays, turn, entry))
            yield from fields.finish()
        except GeneratorExit:  # who wants no more than a part is told of that
            damage.tell(notes)
            raise
        except (av.FFmpegError, ValueError, OverflowError) as error:
            raise InputError(
                f"{path}: damaged or cut off after picture {count} ({reason(error)}); "
                "get the whole file, or repair it first"
            ) from None
        if start is not None:
            raise EntryLostError(f"{path}: has no picture at {start.stamp}")
        if not count:
            raise InputError(f"{path}: holds no picture that can be decoded")
        if seconds is not None:
            # Matroska counts its duration from time 0, wherever its first picture is.
            reached = end - min(begin, 0.0)
            is_short = reached < seconds * (1 - _CUT_SHARE) - _CUT_SECONDS
            with system_errors(InputError, path, "cannot be read"):
                is_cut = not last_is_whole or (is_short and not ends_whole(path))
            if is_cut:
                place = f"at {reached:.1f} s of {seconds:.1f} s" if is_short else "amid its end"
                raise InputError(f"{path}: cut off {place}; get the whole file")
            if is_short:
                notes(
                    f"{path}: states {seconds:.1f} s and ends after {reached:.1f} s, but not amid "
                    "a packet; it is taken for whole"
                )
        damage.finish()
        damage.tell(notes)
        if has_more:
            notes(f"{path}: after its last packet come other bytes, which are left out")
        if clock.gaps:
            notes(
                f"{path}: its time stamps jump by more than {MAX_STILL_SECONDS:g} s, or past its "
                f"end, at {clock.gaps} of {count} pictures; the gaps are left out"
            )


def _tell_of_lost(path: Path, seconds: Fraction, notes: Notes) -> None:
    if seconds >= NOTICED_SECONDS:
        notes(
            f"{path}: {float(seconds):.2f} s of pictures at its start cannot be decoded, as of a "
            "file that was cut between key pictures, and are left out"
        )


def _seek(path: Path, container: InputContainer, stream: VideoStream, start: Entry) -> None:
    import av

    # Some formats find a place by their clock alone, not always the one before it.
    before = round(_SEEK_SECONDS / stream.time_base) if stream.time_base else 0
    try:
        container.seek(start.stamp - before, stream=stream)
    except (av.FFmpegError, OSError, OverflowError) as error:
        let_deadline_by(error)
        raise EntryLostError(f"{path}: cannot be entered ({reason(error)})") from error


def _end(packet: Any) -> float:
    """When a packet ends, in seconds; 0 where it does not say."""
    if packet.pts is None or not packet.size or not packet.time_base:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _hidden_turn(stream: VideoStream, coded: bytes, turn: Turn) -> Turn:
    """The turn after a key picture that an edit list hides, so that it is decoded in vain.

    What follows it may be shown, and be turned as it says.
    """
    import av

    context = av.CodecContext.create(stream.codec_context.codec.name, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.extradata = stream.codec_context.extradata
    context.options = {"max_pixels": str(MAX_SOURCE_AREA)}
    with contextlib.suppress(av.FFmpegError):  # damage is told where it is decoded with the rest
        for frame in [*context.decode(av.Packet(coded)), *context.decode(None)]:
            turn = turn.followed_by(frame)
    return turn


def _stays(frame: VideoFrame) -> float | None:
    if not frame.duration or not frame.time_base:
        return None
    return float(frame.duration * frame.time_base)


class _Fields:
    """Frames made of two fields become whole pictures, from the first such frame on."""

    def __init__(self, path: Path, notes: Notes) -> None:
        self._path = path
        self._notes = notes
        self._deinterlacer: Deinterlacer | None = None
        self._size: tuple[int, int] | None = None
        self._is_transposed: bool | None = None
        self._waiting: list[tuple[float, float, Turn]] = []

    @property
    def are_interlaced(self) -> bool:
        """Whether frames depend on those before them."""
        return self._deinterlacer is not None

    def push(self, timed: TimedFrame) -> Iterator[TimedFrame]:
        frame = timed.frame
        size = frame.width, frame.height
        if self._size is not None and size != self._size:
            raise InputError(
                f"{self._path}: the picture size changes from {self._size[0]}x{self._size[1]} to "
                f"{frame.width}x{frame.height}; convert it to one size first"
            )
        is_transposed = timed.turn.orientation.transpose
        if self._is_transposed is not None and is_transposed != self._is_transposed:
            raise InputError(
                f"{self._path}: pictures from {timed.time:.2f} s on are to be turned by another "
                "quarter, which changes their shape; convert it to one shape first"
            )
        self._size, self._is_transposed = size, is_transposed
        if self._deinterlacer is None:
            if not frame.interlaced_frame:
                yield timed
                return
            self._notes(f"{self._path}: is interlaced; its fields are made whole pictures")
            self._deinterlacer = Deinterlacer()
        self._waiting.append((timed.time, timed.stays, timed.turn))
        yield from self._ready(self._deinterlacer.push(frame))

    def finish(self) -> Iterator[TimedFrame]:
        if self._deinterlacer is not None:
            yield from self._ready(self._deinterlacer.push(None))

    def _ready(self, frames: list[VideoFrame]) -> Iterator[TimedFrame]:
        for frame in frames:
            yield TimedFrame(frame, *self._waiting.pop(0))
