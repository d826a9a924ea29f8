"""When each decoded frame is shown, where its file says that wrongly or not at all.

AVI has no times of pictures, and ASF and MXF often none that can be believed: there a packet's
stamp is its place in the order of coding, which is another order than that of showing where
pictures are predicted from later ones. Of several pictures in a packet of an MPEG program stream
the first alone has a stamp.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# More than the pictures that a decoder holds back, however many threads it has.
_MOST_WAITING = 256


class Stamps:
    """Stamps of the frames of a stream, in seconds; `period` is how long a frame lasts mostly.

    Decoders give frames in the order in which they are shown. One that comes before another whose
    packet was sent earlier, and says that it is shown earlier, tells that stamps are places in the
    order of coding. From then on a frame is shown as much after the one before as its packet was
    decoded later: the decoding times of the packets that frames come with run on evenly.

    Attributes:
        are_of_coding: whether stamps turned out to be places in the order of coding.
    """

    def __init__(self, stream: VideoStream, period: float) -> None:
        self._context = stream.codec_context
        self._period = period
        # Of packets that no frame has come of yet, in order.
        self._waiting: list[int] = []
        self._last_sent: int | None = None
        # As in files joined byte by byte: then packets that were sent tell nothing.
        self._starts_anew = False
        self._first: int | None = None
        self._last: float | None = None
        self._last_decoded: float | None = None
        self.are_of_coding = False

    def sent(self, packet: Any) -> None:
        """Take note of a packet that is about to be decoded."""
        if packet.pts is None or not packet.size or packet.is_discard or packet.is_corrupt:
            return
        if packet.dts is not None:
            self._starts_anew |= self._last_sent is not None and packet.dts < self._last_sent
            self._last_sent = packet.dts
        insort(self._waiting, packet.pts)
        del self._waiting[:-_MOST_WAITING]

    def of(self, frame: VideoFrame) -> float:
        """When the next frame is shown."""
        self._look_at(frame.pts)
        decoded = _seconds(frame.dts, frame)
        stamp = None if self.are_of_coding else _seconds(frame.pts, frame)
        if stamp is None:
            stamp = self._after_last(decoded, frame)
        self._last, self._last_decoded = stamp, decoded
        return stamp

    def _after_last(self, decoded: float | None, frame: VideoFrame) -> float:
        if self._last is None:
            return 0.0
        if self.are_of_coding and decoded is not None and self._last_decoded is not None:
            return self._last + decoded - self._last_decoded
        # A tick, as for the last packet of some files, is no duration.
        stays = _seconds(frame.duration, frame) or 0.0
        return self._last + (stays if stays > self._period / 2 else self._period)

    def _look_at(self, stamp: int | None) -> None:
        if stamp is None or self.are_of_coding:
            return
        if self._first is None:
            self._first = stamp
        place = bisect_left(self._waiting, stamp)
        # Pictures before the first may lack what they refer to, and never come.
        is_passed = place > 0 and self._waiting[place - 1] >= self._first
        # Without B pictures frames come in the order of packets, and some of none.
        has_order = bool(self._context.has_b_frames) and not self._starts_anew
        self.are_of_coding = is_passed and has_order
        del self._waiting[: bisect_left(self._waiting, stamp + 1)]


def _seconds(ticks: int | None, frame: VideoFrame) -> float | None:
    if ticks is None or not frame.time_base:
        return None
    return float(ticks * frame.time_base)
