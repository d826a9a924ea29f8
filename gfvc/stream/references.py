"""Which of the last decoded key pictures drives which pictures, as the user data says it.

A private extension, off unless an encoder is asked for it. Bits, most significant first, filled up
to a byte with zeros:

    pool - 1          u(3)    key pictures that a decoder keeps, this one included: 2..8
    number            u(8)    of this key picture: they are counted modulo 256
    runs              ue(v)   changes of the reference in this access unit
    for each run
      start - 1       ue(v)   pictures from the start of the run before, or from the key picture
      back            u(3)    the reference: how many key pictures before this one; 0 for this one

Pictures before the first run are driven by this key picture. The first picture of a run has a
message, which carries all parameters; the last one before keeps what came last.
"""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.errors import StreamError
from gfvc.options.encoding import MAX_POOL
from gfvc.stream.schedule import MAX_PICTURES, PictureSchedule, RegularPictures
from sei import SeiError
from sei.bits import BitReader, BitWriter

NUMBERS = 256

_POOL_BITS = 3
_NUMBER_BITS = 8


@dataclass(frozen=True, slots=True)
class ReferenceRuns:
    """The references of the pictures of an access unit.

    `pool` 2..8 key pictures are kept, `number` 0..255 is that of this one. `runs` are pairs of the
    picture at which a run starts, rising from 1 (the key picture is 0), and how many key pictures
    back its reference lies, 0..pool-1. Raises `ValueError` for anything else.
    """

    pool: int
    number: int
    runs: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.pool <= MAX_POOL:
            raise ValueError(f"a pool of {self.pool} key pictures is not within 2..{MAX_POOL}")
        if not 0 <= self.number < NUMBERS:
            raise ValueError(f"key picture number {self.number} is not within 0..{NUMBERS - 1}")
        before = 0
        for start, back in self.runs:
            if not before < start < MAX_PICTURES:
                raise ValueError(f"a run cannot start at picture {start}")
            if not 0 <= back < self.pool:
                raise ValueError(f"{back} key pictures back is outside a pool of {self.pool}")
            before = start

    def spans(self, pictures: int) -> list[tuple[int, int, int]]:
        """First picture, picture after the last, and key pictures back, of each run in turn.

        `pictures` are those of the access unit; runs beyond them were cut off.
        """
        kept = [(0, 0), *(run for run in self.runs if run[0] < pictures)]
        ends = [*(start for start, _ in kept[1:]), pictures]
        return [(start, end, back) for (start, back), end in zip(kept, ends, strict=True)]

    def check_starts(self, schedule: PictureSchedule) -> None:
        """Raise `StreamError` when a run starts at a picture without a message."""
        sent = schedule.sent if isinstance(schedule.sent, RegularPictures) else set(schedule.sent)
        missing = [start for start, _ in self.runs if start not in sent]
        if missing:
            raise StreamError(
                f"gfvc's user data message has another reference start at picture {min(missing)}, "
                "which has no message"
            )

    def to_bytes(self) -> bytes:
        """The runs as coded."""
        writer = BitWriter()
        writer.unsigned(self.pool - 1, _POOL_BITS)
        writer.unsigned(self.number, _NUMBER_BITS)
        writer.exp_golomb(len(self.runs))
        before = 0
        for start, back in self.runs:
            writer.exp_golomb(start - before - 1)
            writer.unsigned(back, _POOL_BITS)
            before = start
        return writer.to_bytes()

    @classmethod
    def read(cls, reader: BitReader) -> ReferenceRuns:
        """Read what `to_bytes` wrote; raise `StreamError` when it is damaged."""
        try:
            return _read(reader)
        except (SeiError, ValueError) as error:
            raise StreamError(
                f"gfvc's user data message has damaged reference runs: {error}"
            ) from None


def _read(reader: BitReader) -> ReferenceRuns:
    pool = reader.unsigned(_POOL_BITS) + 1
    number = reader.unsigned(_NUMBER_BITS)
    count = reader.exp_golomb()
    # The shortest run has 4 bits, so that no count makes more than the data holds.
    if count * (1 + _POOL_BITS) > reader.remaining:
        raise ValueError(f"{count} runs do not fit into {reader.remaining} bits")
    runs: list[tuple[int, int]] = []
    start = 0
    for _ in range(count):
        start += reader.exp_golomb() + 1
        if start >= MAX_PICTURES:
            raise ValueError(f"a run cannot start at picture {start}")
        runs.append((start, reader.unsigned(_POOL_BITS)))
    return ReferenceRuns(pool, number, tuple(runs))
