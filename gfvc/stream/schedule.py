"""Which output pictures of an access unit have a message, as the user data says it.

Bits, most significant first, filled up to a byte with zeros:

    pictures - 1        ue(v)   output pictures of the access unit, the key picture included
    regular             u(1)    1: a message every `interval` pictures, and one for the last picture
    interval - 1        ue(v)   if regular
    messages            ue(v)   otherwise: messages without the base message
    shift               u(3)    otherwise, k of the Rice code
    for each message    the distance d to the picture of the message before it: (d - 1) >> k one
                        bits, a zero bit, and the k low bits of d - 1

gfv_cnt counts messages, not pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gfvc.errors import StreamError
from sei import SeiError
from sei.bits import BitReader, BitWriter

MAX_PICTURES = 1 << 16
"""Greatest number of output pictures of an access unit with a schedule."""

_SHIFT_BITS = 3


class RegularPictures(Sequence[int]):
    """Pictures with a message, every `interval` and the last, without the key picture.

    They are told one by one when asked for: a few bits stand for many thousands.
    """

    __slots__ = ("_last", "_steps")

    def __init__(self, pictures: int, interval: int) -> None:
        self._steps = range(interval, pictures, interval)
        self._last = pictures - 1

    def __len__(self) -> int:
        return len(self._steps) + self._ends_apart

    @property
    def _ends_apart(self) -> bool:
        """Whether the last picture does not lie at the interval."""
        return self._last > 0 and self._last not in self._steps

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self)[index]
        if index in (-1, len(self) - 1) and self._last > 0:
            return self._last
        return self._steps[index + self._ends_apart if index < 0 else index]

    def __contains__(self, picture: object) -> bool:
        return picture in self._steps or (self._last > 0 and picture == self._last)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (RegularPictures, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True, slots=True)
class PictureSchedule:
    """The output pictures of an access unit, and those of them that have messages.

    `pictures` 1..65536 counts the key picture, which is number 0; `sent` are the numbers of the
    others with a message, rising. Raises `ValueError` for anything else.
    """

    pictures: int
    sent: tuple[int, ...] | RegularPictures

    def __post_init__(self) -> None:
        if not 1 <= self.pictures <= MAX_PICTURES:
            raise ValueError(f"{self.pictures} pictures are not within 1..{MAX_PICTURES}")
        if isinstance(self.sent, RegularPictures):
            return
        numbers = (0, *self.sent)
        if any(a >= b for a, b in zip(numbers, self.sent, strict=False)):
            raise ValueError("numbers of pictures with messages must rise from 1")
        if numbers[-1] >= self.pictures:
            raise ValueError(f"picture {numbers[-1]} is not among {self.pictures}")

    @property
    def without_message(self) -> int:
        """Number of pictures without a message."""
        return self.pictures - 1 - len(self.sent)

    def cut(self, messages: int) -> PictureSchedule:
        """What is left when only the first messages arrive: nothing after the last of them."""
        sent = tuple(self.sent[:messages])
        return PictureSchedule((0, *sent)[-1] + 1, sent)

    def to_bytes(self) -> bytes:
        """The schedule as coded."""
        writer = BitWriter()
        writer.exp_golomb(self.pictures - 1)
        interval = self.sent[0] if self.sent else 1
        if RegularPictures(self.pictures, interval) == self.sent:
            writer.unsigned(1, 1)
            writer.exp_golomb(interval - 1)
            return writer.to_bytes()
        writer.unsigned(0, 1)
        writer.exp_golomb(len(self.sent))
        distances = [b - a - 1 for a, b in zip((0, *self.sent), self.sent, strict=False)]
        shift = min(range(1 << _SHIFT_BITS), key=lambda k: _rice_bits(distances, k))
        writer.unsigned(shift, _SHIFT_BITS)
        for distance in distances:
            for _ in range(distance >> shift):
                writer.unsigned(1, 1)
            writer.unsigned(distance & ((1 << shift) - 1), shift + 1)
        return writer.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> PictureSchedule:
        """Read what `to_bytes` wrote; raise `StreamError` when it is damaged."""
        return cls.read(data)[0]

    @classmethod
    def read(cls, data: bytes) -> tuple[PictureSchedule, bytes]:
        """Read a schedule; return it with the bytes that follow. `StreamError` for a damaged one.

        What a few bytes can ask for is bounded: `MAX_PICTURES` numbers, in time that goes with the
        bytes that are read.
        """
        try:
            schedule, bits = _read(data)
        except (SeiError, ValueError) as error:
            raise StreamError(f"gfvc's user data message has a damaged schedule: {error}") from None
        return schedule, data[(bits + 7) // 8 :]


def _rice_bits(distances: Sequence[int], shift: int) -> int:
    return sum((distance >> shift) + 1 + shift for distance in distances)


def _read(data: bytes) -> tuple[PictureSchedule, int]:
    """A schedule and the number of its bits."""
    reader = BitReader(data)
    pictures = reader.exp_golomb() + 1
    if pictures > MAX_PICTURES:
        raise ValueError(f"{pictures} pictures are more than {MAX_PICTURES}")
    if reader.unsigned(1):
        interval = reader.exp_golomb() + 1
        return PictureSchedule(pictures, RegularPictures(pictures, interval)), reader.position
    messages = reader.exp_golomb()
    if messages >= pictures:
        raise ValueError(f"{messages} messages beside the base message for {pictures} pictures")
    shift = reader.unsigned(_SHIFT_BITS)
    # No sound list is longer than this.
    longest = reader.position + (pictures >> shift) + messages * (1 + shift)
    sent, bits = _rice_codes(data[: longest // 8 + 1], reader.position, messages, shift)
    return PictureSchedule(pictures, tuple(sent)), bits


def _rice_codes(data: bytes, start: int, count: int, shift: int) -> tuple[list[int], int]:
    """Numbers of pictures whose distances are coded from bit `start` on, and where they end.

    Bit by bit, this would be the slowest thing that a stream can ask for.
    """
    import numpy as np

    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    places = np.arange(len(bits))
    # For each bit, the next zero bit: the end of the one bits of a code that starts there.
    zeros = np.minimum.accumulate(np.where(bits == 0, places, len(bits))[::-1])[::-1]
    following = (zeros + 1 + shift).tolist()
    starts, place = [], start
    for _ in range(count):
        if place >= len(following) or following[place] > len(bits):
            raise ValueError("it has fewer messages than it says, or one beyond its pictures")
        starts.append(place)
        place = following[place]
    at = np.array(starts, np.int64)
    distances = (zeros[at] - at << shift) + 1
    for bit in range(shift):
        distances += bits[zeros[at] + 1 + bit].astype(np.int64) << (shift - 1 - bit)
    return np.cumsum(distances).tolist(), place
