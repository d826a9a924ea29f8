"""Decoded frames of a file's video stream, whole and with times that can be believed."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.errors import InputError, let_deadline_by
from gfvc.media_files import reason, refuse_encrypted
from gfvc.media_packets import packets_of
from gfvc.telling import NOTICED_SECONDS, Notes
from gfvc.video.beginning import Beginning
from gfvc.video.clock import MAX_STILL_SECONDS, Clock
from gfvc.video.damage import Damage
from gfvc.video.described import codec_now
from gfvc.video.extent import Extent, PicturesEnd
from gfvc.video.filters import Deinterlacer
from gfvc.video.left_out import tell_of_later_tracks
from gfvc.video.opening import decoder_like, open_video
from gfvc.video.orientation import NO_TURN, Turn
from gfvc.video.raw import raw_of
from gfvc.video.sound import SoundLength
from gfvc.video.stamps import Stamps, track_end
from gfvc.video.stated import PixelShape, stated_rate, stated_seconds
from gfvc.video.stated_colour import StatedColour

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Those whose pictures can say how they are turned.
_WITH_TURNS = ("h264", "hevc")

# Of these what is interlaced is coded field by field, and decoders leave it so.
_CODED_BY_FIELD = ("hevc",)

# How much before a picture it is looked for.
_SEEK_SECONDS = 2


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
    stamps jumped, how much at the start cannot be decoded, and what tracks that begin later hold.
    Raises `InputError` when the file is damaged or cut off, or changes its picture size or shape;
    `EntryLostError` when `start` is not found.
    """
    with open_video(path) as (container, stream):
        reading = _Reading(path, container, stream, notes, sound or SoundLength(path))
        if start is not None:
            reading.enter_at(start)
        yield from reading.frames()


class _Reading:
    """Decodes the chosen stream of a file that is open."""

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        stream: VideoStream,
        notes: Notes,
        sound: SoundLength,
    ) -> None:
        self._path = path
        self._container = container
        self._stream = stream
        self._notes = notes
        period = float(1 / stated_rate(path, stream).read)
        seconds = stated_seconds(container)
        self._clock = Clock(period, seconds, str(path), sound, PicturesEnd(path, seconds))
        self._stamps = Stamps(path, period, raw_of(stream), track_end(container, stream))
        self._extent = Extent(path, container)
        self._fields = _Fields(path, notes, stream.codec_context.name)
        self._damage = Damage(path, container, stream)
        self._beginning = Beginning(self._damage.decode)
        self._colour, self._pixels = StatedColour.of(stream), PixelShape(stream)
        self._has_turns = stream.codec_context.name in _WITH_TURNS
        self._turn = NO_TURN
        self._count = 0
        self._start: Entry | None = None

    def enter_at(self, start: Entry) -> None:
        """Have frames begin there; raise `EntryLostError` where the place is not found."""
        self._clock, self._count, self._turn = copy(start.clock), start.frames, start.turn
        self._start = start
        _seek(self._path, self._container, self._stream, start)

    def frames(self) -> Iterator[TimedFrame]:
        """The frames; raises as `decoded_frames` does."""
        import av

        try:
            for packet in self._packets():
                yield from self._frames_of(packet)
            yield from self._fields.finish()
        except GeneratorExit:  # who wants no more than a part is told of that
            self._damage.tell(self._notes)
            raise
        except (av.FFmpegError, ValueError, OverflowError) as error:
            self._check_codec()
            raise InputError(
                f"{self._path}: damaged or cut off after picture {self._count} ({reason(error)}); "
                "get the whole file, or repair it first"
            ) from None
        self._finish()

    def _packets(self) -> Iterator[Any]:
        """The packets of the stream, each when the stamp of the next one is known, too."""
        import av

        before = None
        try:
            for packet in packets_of(self._path, self._container):
                if self._extent.includes(packet) and packet.stream.index == self._stream.index:
                    self._stamps.coming(packet)
                    if before is not None:
                        yield before
                    before = packet
        except (InputError, av.FFmpegError, ValueError, OverflowError):
            if before is not None:  # all that came before the damage is read
                yield before
            raise
        if before is not None:
            yield before

    def _frames_of(self, packet: Any) -> Iterator[TimedFrame]:
        refuse_encrypted(self._path, packet)
        if packet.is_discard and packet.is_keyframe and not self._count and self._has_turns:
            self._turn = _hidden_turn(self._stream, bytes(packet), self._turn)
        for frame in self._beginning.decode(packet):
            if not self._count:
                _tell_of_lost(self._path, self._beginning.lost_before(frame), self._notes)
            if not self._is_before_start(frame):
                yield from self._fields.push(self._timed(frame))

    def _is_before_start(self, frame: VideoFrame) -> bool:
        start = self._start
        if start is None:
            return False
        if frame.pts is not None and frame.pts < start.stamp:
            return True
        if frame.pts != start.stamp:
            raise self._lost_entry(start)
        self._start = None
        return False

    def _lost_entry(self, start: Entry) -> EntryLostError:
        return EntryLostError(f"{self._path}: has no picture at {start.stamp}")

    def _timed(self, frame: VideoFrame) -> TimedFrame:
        self._colour.complete(frame)
        self._turn = self._turn.followed_by(frame)
        stamp, entry = self._stamps.of(frame), None
        is_sure = self._stamps.is_sure and not self._fields.are_interlaced
        if frame.key_frame and frame.pts is not None and is_sure:
            entry = Entry(frame.pts, self._count, copy(self._clock), self._turn)
        self._count += 1
        time = self._clock.time(stamp)
        stays = self._clock.stays(self._stamps.stays)
        self._damage.see(frame, time)
        self._pixels.check(str(self._path), time)
        return TimedFrame(frame, time, stays, self._turn, entry)

    def _finish(self) -> None:
        """Say what is known when all frames were decoded."""
        if self._start is not None:
            raise self._lost_entry(self._start)
        if not self._count:
            raise InputError(f"{self._path}: holds no picture that can be decoded")
        self._check_codec()
        self._extent.check(self._notes)
        self._damage.finish()
        self._damage.tell(self._notes)
        self._extent.tell_of_more(self._notes)
        tell_of_later_tracks(self._path, self._container, self._notes)
        if self._clock.gaps:
            self._notes(
                f"{self._path}: its time stamps jump by more than {MAX_STILL_SECONDS:g} s, or past "
                f"its end, at {self._clock.gaps} of {self._count} pictures; the gaps are left out"
            )

    def _check_codec(self) -> None:
        """Raise `InputError` where the file has gone over to another codec, whatever came of it."""
        before = self._stream.codec_context.codec.canonical_name
        now = codec_now(self._container, self._stream) or before
        if self._container.format.name == "mpegts" and now != before:
            raise InputError(
                f"{self._path}: its codec changes from {before} to {now} after picture "
                f"{self._count} or before, as in files joined byte by byte; convert it to one first"
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


def _hidden_turn(stream: VideoStream, coded: bytes, turn: Turn) -> Turn:
    """The turn after a key picture that an edit list hides, so that it is decoded in vain.

    What follows it may be shown, and be turned as it says.
    """
    import av

    context = decoder_like(stream.codec_context)
    with contextlib.suppress(av.FFmpegError):  # damage is told where it is decoded with the rest
        for frame in [*context.decode(av.Packet(coded)), *context.decode(None)]:
            turn = turn.followed_by(frame)
    return turn


class _Fields:
    """Frames made of two fields become whole pictures, from the first such frame on."""

    def __init__(self, path: Path, notes: Notes, codec: str) -> None:
        self._path = path
        self._notes = notes
        self._codec = codec
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
            if self._codec in _CODED_BY_FIELD:
                raise InputError(
                    f"{self._path}: each of its pictures is a field, every other line of a frame; "
                    "make it frames first (ffmpeg -i IN -vf weave,bwdif OUT)"
                )
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
