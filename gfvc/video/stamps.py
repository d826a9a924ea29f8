"""When each decoded frame is shown, where its file says that wrongly or not at all.

AVI has no times of pictures, and ASF and MXF often none that can be believed: there a packet's
stamp is its place in the order of coding, which is another order than that of showing where
pictures are predicted from later ones. Such stamps stay with pictures that are copied to other
containers. Of several pictures in a packet of an MPEG program stream the first alone has a stamp,
and at times the one before it has the same. Raw H.264, HEVC and VVC has no times of pictures, but
lengths, and in H.263 pictures are numbered by a clock.
"""

from __future__ import annotations

from bisect import insort
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from gfvc.errors import InputError
from gfvc.media_files import media_errors
from gfvc.media_packets import packets_of
from gfvc.video.beginning import Beginning
from gfvc.video.opening import open_video
from gfvc.video.raw import RAW_RATE, Raw, References

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# Frames that are looked at, and after so many it is known whether some are predicted from later
# ones; one of so many is out of order at the least where stamps are of the order of coding.
_LOOKED_AT, _KNOWN_AFTER = 64, 8
_MOST_IN_ORDER = 10
# More than the pictures that a decoder holds back, however many threads it has.
_MOST_WAITING = 256
# In shares of how long a frame lasts.
_TOO_NEAR = 1 / 8
# Formats, and codecs in them if not all, of which stamps are places; those of presentation are
# guessed, at times as ones that go back.
_WITH_PLACES = {"avi": None, "mpegvideo": "mpeg1video"}

_Kind = Literal["pts", "dts"]


class Stamps:
    """Stamps of the frames of a file, in seconds; `period` is how long a frame lasts mostly.

    `raw` is what a raw stream says, None for other files; `end` is that of `track_end`.

    Decoders give frames in the order in which they are shown. Where stamps are places in the order
    of coding, each frame has the least of those that were sent and no frame has had.

    Attributes:
        are_of_coding: whether stamps are places in the order of coding.
        is_sure: whether the last frame can be found by its stamp, which is its own.
    """

    def __init__(
        self, path: Path, period: float, raw: Raw | None = None, end: float | None = None
    ) -> None:
        status = path.stat()
        places = _places(path, status.st_mtime_ns, status.st_size)
        self._kind = None if places is None else places.kind
        self.are_of_coding = places is not None and not places.are_in_order
        self.is_sure = False
        self._period = period
        self._raw = raw
        self._end = end
        self._references = None
        if raw is not None and raw.has_references:
            self._references = References(raw.rate or RAW_RATE)
        self._by_stamp: dict[int | None, float] = {}  # times of packets
        self._stays: float | None = None
        self._waiting: list[float] = []  # in order
        self._most_waiting: int | None = None  # before a frame
        self._last_coming: int | None = None
        self._shared: set[int] = set()  # by two packets; it is that of the second one
        self._last: float | None = None

    def coming(self, packet: Any) -> None:
        """Take note of a packet that is decoded after the one before it.

        Only now is it known whether the stamp of that one is its own.
        """
        if packet.pts is None or not packet.size or packet.is_discard:
            return
        if self._references is not None:
            self._keep(packet.pts, float(self._references.next_time(bytes(packet))))
        if self._kind is not None:
            stamp = packet.dts if self._kind == "dts" else packet.pts
            time = float((packet.pts if stamp is None else stamp) * packet.time_base)
            if self.are_of_coding:
                insort(self._waiting, time)
                del self._waiting[:-_MOST_WAITING]
            else:
                self._keep(packet.pts, time)
        elif packet.pts == self._last_coming and len(self._shared) < _MOST_WAITING:
            self._shared.add(packet.pts)
        self._last_coming = packet.pts

    def of(self, frame: VideoFrame) -> float:
        """When the next frame is shown."""
        stamp, last = _seconds(frame.pts, frame), self._last
        is_shared = frame.pts in self._shared
        self.is_sure = not (self.are_of_coding or is_shared) and stamp not in (None, last)
        if self._references is not None:
            self.is_sure = False  # it is that of the library
            stamp = self._by_stamp.pop(frame.pts, None)
        elif self._kind is not None:
            if self.are_of_coding:
                stamp = self._next_waiting()
            else:
                stamp = self._by_stamp.pop(frame.pts, None)
            if stamp is not None and last is not None and self._says_nothing(stamp - last):
                stamp = None
                self.is_sure = False
        elif is_shared:
            self._shared.discard(frame.pts)
            # Before the one whose stamp it is, which comes next.
            if last is not None and stamp is not None:
                stamp = min(last + self._period, (last + stamp) / 2)
        if stamp is None:
            stamp = 0.0 if last is None else last + self._since_last()
        self._last, self._stays = stamp, self._length(frame, stamp)
        return stamp

    def _says_nothing(self, since_last: float) -> bool:
        """Whether a stamp tells no more than that a frame comes next: it is so near to the last.

        Guessed ones are at times a tick of a finer clock behind. Those of decoding of each frame's
        own packet are as the file has them.
        """
        is_own = self._kind == "dts" and not self.are_of_coding
        return not is_own and since_last < _TOO_NEAR * self._period

    def _keep(self, stamp: int, time: float) -> None:
        if len(self._by_stamp) >= _MOST_WAITING:
            del self._by_stamp[next(iter(self._by_stamp))]
        self._by_stamp[stamp] = time

    @property
    def stays(self) -> float | None:
        """For how long the last frame is shown, in seconds; None where its file does not say."""
        return self._stays

    def _since_last(self) -> float:
        if self._raw is None or self._stays is None:
            return self._period
        return self._stays

    def _length(self, frame: VideoFrame, stamp: float) -> float | None:
        if self.are_of_coding:
            return None
        if self._raw is None:
            length = _seconds(frame.duration or None, frame)
            if length is None or self._end is None:
                return length
            return min(length, self._end - stamp) if stamp < self._end else None
        # Where there are stamps, they are by lengths in the order of coding.
        return self._raw.length_of(frame) if frame.pts is None else None

    def _next_waiting(self) -> float | None:
        if self._most_waiting is None:
            self._most_waiting = len(self._waiting)
        # What waits beyond those that a decoder held back at first could not be decoded.
        del self._waiting[: max(0, len(self._waiting) - self._most_waiting)]
        return self._waiting.pop(0) if self._waiting else None


def track_end(container: InputContainer, stream: VideoStream) -> float | None:
    """When the last picture of an MP4 ends, in seconds by its stamps; None where that is not sure.

    MP4 has the steps from picture to picture in the order of coding. Where that is another order
    than that of showing, what seems to be the length of the picture that is shown last may be that
    of a still a few pictures before. How long the whole track is says more.
    """
    is_reordered = bool(stream.codec_context.has_b_frames)
    is_mp4 = container.format.name.startswith("mov")
    if not (is_mp4 and is_reordered and stream.duration and stream.time_base):
        return None
    return float(((stream.start_time or 0) + stream.duration) * stream.time_base)


def _seconds(ticks: int | None, frame: VideoFrame) -> float | None:
    if ticks is None or not frame.time_base:
        return None
    return float(ticks * frame.time_base)


class _Places(NamedTuple):
    """That stamps are places in the order of coding, and which are taken.

    `are_in_order` says that pictures are shown in that order.
    """

    kind: _Kind
    are_in_order: bool


@lru_cache(maxsize=8)
def _places(path: Path, _modified: int, _size: int) -> _Places | None:
    """Whether stamps are places in the order of coding, by the first frames of a file.

    None where its frames, which come in the order in which they are shown, are in that of their
    stamps, unless the format has places alone. Else those of presentation and of decoding should be
    the same, but for a delay; of either some are missing or guessed at times, and the more even
    ones are taken. Where those of presentation go back, they are such only in part, as after a copy
    from an MPEG program stream; then those of decoding are taken, or none.
    """
    sent: list[tuple[int, int | None]] = []
    shown = late = 0
    go_back = False
    last_shown = None
    with open_video(path) as (container, stream):
        codec = stream.codec_context.name
        are_places = _WITH_PLACES.get(container.format.name, "") in (None, codec)
        beginning = Beginning()
        try:
            with media_errors(str(path)):
                for packet in packets_of(path, container, stream):
                    if packet.size and not packet.is_discard:
                        if packet.pts is None:
                            return None
                        go_back |= bool(sent) and packet.pts < sent[-1][0]
                        sent.append((packet.pts, packet.dts))
                    for frame in beginning.decode(packet):
                        late += _is_before(frame.pts, last_shown)
                        last_shown = frame.pts
                        shown += 1
                    is_known = shown >= _KNOWN_AFTER and not stream.codec_context.has_b_frames
                    if shown >= _LOOKED_AT or is_known:
                        break
        except InputError:
            pass  # who reads the pictures tells
    in_order = not late or late * _MOST_IN_ORDER < shown
    if len(sent) < 2 or (in_order and not are_places):
        return None
    presented, decoded = [pts for pts, _ in sent], [dts for _, dts in sent if dts is not None]
    has_all = len(decoded) == len(presented)
    if has_all and _unevenness(decoded) <= _unevenness(presented):
        return _Places("dts", in_order and not go_back)
    return _Places("pts", in_order and not go_back) if are_places or not go_back else None


def _is_before(stamp: int | None, other: int | None) -> bool:
    return stamp is not None and other is not None and stamp < other


def _unevenness(stamps: list[int]) -> int:
    """By how much steps between stamps differ from the middle one, together."""
    in_order = sorted(stamps)
    steps = [after - before for before, after in pairwise(in_order)]
    middle = median_low(steps)
    return sum(abs(step - middle) for step in steps)
