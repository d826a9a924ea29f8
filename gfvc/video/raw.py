"""Raw streams, which have no container: what they say of when their pictures are shown.

There libavformat counts 25 pictures a second unless told otherwise, and states that as the average,
whatever the parameter sets or headers say. Some streams say nothing: many encoders leave it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.media_packets import packets_of
from gfvc.options.encoding import MAX_RATE

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

RAW_RATE = Fraction(25)
"""Pictures per second of streams that state no rate."""

_RAW_FORMATS = frozenset(("av1", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vvc"))
# Pictures one after the other, each a file of its own.
_PIPES = "_pipe"
# The library has the clock of one from its pictures; that of the other is read here.
_MPEG4, _H263 = "m4v", "h263"
# The end of the start code of its pictures, of 22 bits; the reference is of the next 8.
_START = 0b100000
# What is stated may be the ticks of a clock, as of video of variable rate.
_MOST = MAX_RATE * Fraction(101, 100)
# Of a picture's length: a field has less, and none is shown for longer (pic_struct 8).
_FIELD, _LONGEST = Fraction(3, 4), 3


@dataclass(frozen=True, slots=True)
class Raw:
    """What a raw stream says: pictures per second by its headers, or None.

    `has_stamps` tells whether packets have times that are the stream's own, `has_references`
    whether their pictures are numbered by a clock of that rate (H.263), so that pictures that were
    left out are known.
    """

    rate: Fraction | None
    has_stamps: bool = False
    has_references: bool = False

    @property
    def is_believed(self) -> bool:
        """Whether the rate can be meant as one of pictures."""
        return self.rate is not None and self.rate <= _MOST

    def length(self, seconds: Fraction) -> Fraction:
        """Seconds that a frame is shown, by those that its packet says.

        A packet may be one field of two, and a picture be shown for one field more, or again.
        """
        if self.rate is None or not self.is_believed:
            return 1 / RAW_RATE
        return min(max(seconds, 1 / self.rate), _LONGEST / self.rate)

    def is_field(self, seconds: Fraction) -> bool:
        """Whether a packet of a length is one field of two."""
        return self.rate is not None and 0 < seconds * self.rate < _FIELD

    def length_of(self, frame: VideoFrame) -> float:
        """Seconds that a decoded frame is shown."""
        base = frame.time_base or Fraction(0)
        return float(self.length((frame.duration or 0) * base))


def raw_of(stream: VideoStream) -> Raw | None:
    """What a stream of an open file says, None where the file is no raw stream."""
    name = stream.container.format.name
    if name not in _RAW_FORMATS and not name.endswith(_PIPES):
        return None
    # Not the average, nor what is guessed of it: that is of the headers alone.
    stated = stream.codec_context.framerate
    return Raw(Fraction(stated) if stated else None, name == _MPEG4, name == _H263)


class References:
    """Times of pictures of H.263 by their temporal references, in the order of their packets."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._last: int | None = None
        self._ticks = 0

    def next_time(self, coded: bytes) -> Fraction:
        """Seconds from the first picture to the next, of which this is the packet."""
        step = 1
        if coded[:2] == b"\0\0" and len(coded) > 3 and coded[2] >> 2 == _START:
            reference = (coded[2] & 3) << 6 | coded[3] >> 2
            # Two pictures are never of one time; encoders that do not count have all at 0.
            step = 1 if self._last is None else (reference - self._last) % 256 or 1
            self._last = reference
        self._ticks += step
        return (self._ticks - 1) / self._rate


def raw_steps(
    path: Path, container: InputContainer, stream: VideoStream, raw: Raw, most: int
) -> list[Fraction]:
    """Seconds that each of the next pictures is shown, by their packets, of which two may be one.

    So many packets at most are looked at.
    """
    steps: list[Fraction] = []
    times: list[Fraction] = []
    references = References(raw.rate or RAW_RATE)
    field: Fraction | None = None
    for number, packet in enumerate(packets_of(path, container, stream), 1):
        if packet.size and raw.has_references:
            times.append(references.next_time(bytes(packet)))
        elif packet.size:
            length = (packet.duration or 0) * (packet.time_base or Fraction(0))
            if field is None and raw.is_field(length):
                field = length
            else:
                steps.append(raw.length(length + (field or 0)))
                field = None
        if number >= most:
            break
    return steps or [after - before for before, after in pairwise(times)]
