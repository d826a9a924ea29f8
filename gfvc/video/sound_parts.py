"""Which packets of sound go into a copy, and when, where a file does not play from end to end.

An edit list (MP4) shows parts of a track. libavformat hands out what lies before each part, too,
marked as to be decoded only, and with stamps that go back into the part before. In files joined
byte by byte the clock goes back, and pictures go on one after the other.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from typing import Any, NamedTuple

from gfvc.errors import InputError
from gfvc.telling import NOTICED_SECONDS

BACKWARDS_SECONDS = Fraction(1, 4)
"""A stamp that goes back by more is of another recording."""

# Decoders of sound want what comes before, to come into it: Opus 80 ms, the others less, and those
# of sound whose packets stand alone nothing.
_LEAD_SECONDS = Fraction(1, 10)
_STAND_ALONE = ("pcm_", "alac", "flac")
# Packets that are wanted, of AAC for its bands that are made up; of others by their time, and those
# of Opus have 2.5 ms at the least.
_LEAD_PACKETS = {"aac": 2, "ac3": 1, "eac3": 1, "mp2": 1, "vorbis": 1}
_MOST_IN_LEAD = 64
# Of a sample in the names of uncompressed sound.
_BITS = re.compile(r"pcm_[a-z]+(\d+)")
# Stamps of packets are rounded to milliseconds in some containers.
_ROUNDED = Fraction(1, 1000)


class JoinedPart(NamedTuple):
    """A file that was joined to the ones before it, in seconds from the first picture of all.

    `begins` says when its first picture is shown, `shift` what is to be added to its times.
    """

    begins: Fraction
    shift: Fraction


def lead_seconds(codec: str) -> Fraction:
    """How much of the sound before some time a decoder wants at the most."""
    return Fraction(0) if codec.startswith(_STAND_ALONE) else _LEAD_SECONDS


def shown_packets(packets: Iterable[Any], context: Any, start: Fraction) -> Iterator[Any]:
    """The packets that an edit list shows, and those that a decoder wants before `start`, unheard.

    What a decoder wants before a later part would be heard, and is left out. Of a packet that
    stands in its part with less than a half nothing is shown, since the next one follows too soon.
    """
    hidden = deque[Any](maxlen=_LEAD_PACKETS.get(context.name, _MOST_IN_LEAD))
    last: Any = None
    is_joint = False
    for packet in packets:
        if packet.is_discard:
            is_joint = True
            if last is None:
                hidden.append(packet)
            continue
        if last is None:
            time = packet.dts * packet.time_base
            lead = time - lead_seconds(context.name)
            for early in hidden if time <= start + _ROUNDED else ():
                end = (early.dts + (early.duration or 0)) * early.time_base
                if lead < end <= start + _ROUNDED:
                    yield early
        elif (
            not is_joint or (packet.dts - last.dts) * packet.time_base >= _lasts(last, context) / 2
        ):
            yield last
        last, is_joint = packet, False
    if last is not None:
        yield last


def adjoining_packets(packets: Iterable[Any], context: Any, start: Fraction) -> Iterator[Any]:
    """The packets from the first one on that is heard after `start`, and what a decoder wants.

    That is what lies right before it, unheard. What lies before a gap would do harm: players leave
    out as much of the samples as lies before `start`, be there a gap or not.
    """
    wanted = start - lead_seconds(context.name)
    coming = chain(packets, (None,))
    early: list[Any] = []
    lasting: list[Fraction] = []
    for packet, following in pairwise(coming):
        time = packet.dts * packet.time_base
        lasts = sounding_seconds(packet, context, following)
        if time + lasts > start or following is None:
            yield from early[_first_adjoining(early, lasting, time) :]
            yield packet
            if following is not None:
                yield following
            break
        if time + lasts >= wanted:
            early.append(packet)
            lasting.append(lasts)
    yield from (packet for packet in coming if packet is not None)


def _first_adjoining(packets: Sequence[Any], lasting: Sequence[Fraction], until: Fraction) -> int:
    """From which packet on there is sound without a gap until some time.

    All together count, since some stamps tell several packets one time.
    """
    for number, packet in enumerate(packets):
        between = until - packet.dts * packet.time_base
        if not is_gap(between - sum(lasting[number:], Fraction(0))):
            return number
    return len(packets)


def sounding_seconds(packet: Any, context: Any, following: Any = None) -> Fraction:
    """How long the sound of a packet is, which may say that it lasts until the next begins (MP4).

    Where the codec does not tell, it is no longer than the `following` one, but for Vorbis.
    """
    frame = Fraction(context.frame_size or 0, context.rate or 1)
    if not frame and following is not None and context.name != "vorbis":
        frame = (following.duration or 0) * following.time_base
    lasts: Fraction = (packet.duration or 0) * packet.time_base
    if lasts and frame:
        return min(lasts, frame)
    if lasts or frame or following is None or None in (packet.dts, following.dts):
        return lasts or frame
    step: Fraction = (following.dts - packet.dts) * packet.time_base
    return max(step, Fraction(0))


def is_gap(seconds: Fraction) -> bool:
    """Whether so much lies between two packets of sound, or it is rounding."""
    return seconds > 2 * _ROUNDED


def _lasts(packet: Any, context: Any) -> Fraction:
    # A file may say that less is heard of its last packet.
    frame = Fraction(context.frame_size or 0, context.rate or 1)
    lasts: Fraction = (packet.duration or 0) * packet.time_base
    return max(lasts, frame)


class CopiedClock:
    """Gives the packets of sound their times in a copy, from the first picture on.

    `parts` are those that were joined to the first. Stamps of whole milliseconds may stand twice,
    where files were put together; what goes back further is a joined part.
    """

    def __init__(self, label: str, context: Any, start: Fraction, parts: Sequence[JoinedPart]):
        self._label = label
        self._context = context
        self._rate = context.rate or 0
        self._start = start
        self._parts = parts
        self._part = -1
        self._last_given: int | None = None
        self._last: int | None = None
        self._uncompressed = _Uncompressed(label, context)

    def place(self, packet: Any) -> bool:
        """Give a packet its time; False where it is none of the copy.

        Raises `InputError` where a copy would be out of step.
        """
        base = packet.time_base
        back = 0 if self._last_given is None else self._last_given - packet.dts
        if back * base > BACKWARDS_SECONDS:
            self._part += 1
            if self._part == len(self._parts):
                raise self._out_of_step(packet)
        self._last_given = packet.dts
        begins, shift = self._parts[self._part] if self._part >= 0 else (None, Fraction(0))
        moved = round(shift / base) - round(self._start / base)
        packet.dts += moved
        packet.pts = packet.dts if packet.pts is None else max(packet.pts + moved, packet.dts)
        if self._parts and not self._is_of_part(packet, begins):
            return False
        if self._last is not None and packet.dts <= self._last:
            # By a sample at the least, which is what times in MP4 are rounded to.
            tick = math.ceil(Fraction(1, self._rate) / base) if self._rate else 1
            packet.dts = self._last + tick
            packet.pts = max(packet.pts, packet.dts)
        self._last = packet.dts
        self._uncompressed.take(packet)
        return True

    def end(self) -> None:
        """Raise `InputError` where pictures went on with further parts, and sound did not."""
        if self._part + 1 < len(self._parts):
            raise InputError(
                f"{self._label}: the clock of its pictures goes back, as in files joined byte by "
                f"byte, and that of its sound does not; {_ADVICE}"
            )

    def _is_of_part(self, packet: Any, begins: Fraction | None) -> bool:
        """Whether the middle of a packet lies where the pictures of its part are shown."""
        middle = packet.dts * packet.time_base + _lasts(packet, self._context) / 2
        following = self._part + 1
        ends = self._parts[following].begins if following < len(self._parts) else None
        return (begins is None or middle >= begins) and (ends is None or middle < ends)

    def _out_of_step(self, packet: Any) -> InputError:
        base = packet.time_base
        assert self._last_given is not None
        return InputError(
            f"{self._label}: its clock goes back from {float(self._last_given * base):.2f} s to "
            f"{float(packet.dts * base):.2f} s, as in files joined byte by byte; {_ADVICE}"
        )


_ADVICE = "--audio aac codes it anew, --audio none leaves it out"


class _Uncompressed:
    """Keeps uncompressed sound in step: an MP4 file counts its samples and holds no other times."""

    def __init__(self, label: str, context: Any) -> None:
        self._label = label
        bits = _BITS.match(context.name)
        frame = int(bits[1]) * context.channels if bits else 0
        # Bytes of a second.
        self._second = Fraction(frame * (context.rate or 0), 8)
        self._first: Fraction | None = None
        self._bytes = 0

    def take(self, packet: Any) -> None:
        """Count a packet; raise `InputError` where it would be heard at another time."""
        if not self._second:
            return
        time = packet.dts * packet.time_base
        if self._first is None:
            self._first = time
        missing = time - self._first - self._bytes / self._second
        if abs(missing) >= NOTICED_SECONDS:
            raise InputError(
                f"{self._label}: has gaps or parts (at {float(time):.2f} s), of which an MP4 file "
                "cannot tell in uncompressed sound; --audio aac codes it anew"
            )
        self._bytes += packet.size
