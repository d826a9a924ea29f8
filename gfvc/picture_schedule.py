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

from gfvc.errors import StreamError
from sei import SeiError
from sei.bits import BitReader, BitWriter

MAX_PICTURES = 1 << 16
"""Greatest number of output pictures of an access unit with a schedule."""

_SHIFT_BITS = 3


@dataclass(frozen=True, slots=True)
class PictureSchedule:
    """The output pictures of an access unit, and those of them that have messages.

    `pictures` 1..65536 counts the key picture, which is number 0; `sent` are the numbers of the
    others with a message, rising. Raises `ValueError` for anything else.
    """

    pictures: int
    sent: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.pictures <= MAX_PICTURES:
            raise ValueError(f"{self.pictures} pictures are not within 1..{MAX_PICTURES}")
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
        sent = self.sent[:messages]
        return PictureSchedule((0, *sent)[-1] + 1, sent)

    def to_bytes(self) -> bytes:
        """The schedule as coded."""
        writer = BitWriter()
        writer.exp_golomb(self.pictures - 1)
        interval = self.sent[0] if self.sent else 1
        if self.sent == regular_pictures(self.pictures, interval):
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
        return cls.read(BitReader(data))

    @classmethod
    def read(cls, reader: BitReader) -> PictureSchedule:
        """Read a schedule up to the end of its last byte; raise `StreamError` for a damaged one."""
        try:
            schedule = _read(reader)
            if padding := -reader.position % 8:
                reader.unsigned(padding)
            return schedule
        except (SeiError, ValueError) as error:
            raise StreamError(f"gfvc's user data message has a damaged schedule: {error}") from None


def regular_pictures(pictures: int, interval: int) -> tuple[int, ...]:
    """Pictures with a message, every `interval` and the last, without the key picture."""
    sent = tuple(range(interval, pictures, interval))
    if pictures > 1 and (not sent or sent[-1] != pictures - 1):
        return (*sent, pictures - 1)
    return sent


def _rice_bits(distances: Sequence[int], shift: int) -> int:
    return sum((distance >> shift) + 1 + shift for distance in distances)


def _read(reader: BitReader) -> PictureSchedule:
    pictures = reader.exp_golomb() + 1
    if pictures > MAX_PICTURES:
        raise ValueError(f"{pictures} pictures are more than {MAX_PICTURES}")
    if reader.unsigned(1):
        return PictureSchedule(pictures, regular_pictures(pictures, reader.exp_golomb() + 1))
    messages = reader.exp_golomb()
    if messages >= pictures:
        raise ValueError(f"{messages} messages beside the base message for {pictures} pictures")
    shift = reader.unsigned(_SHIFT_BITS)
    sent: list[int] = []
    picture = 0
    for _ in range(messages):
        high = 0
        while reader.unsigned(1):
            high += 1
        low = reader.unsigned(shift) if shift else 0
        picture += (high << shift) + low + 1
        sent.append(picture)
    return PictureSchedule(pictures, tuple(sent))
