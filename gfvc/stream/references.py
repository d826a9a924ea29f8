"""Which of the last decoded key pictures drives which pictures, as the user data says it.

A private extension, off unless an encoder is asked for it; `reference_runs` is its syntax. Pictures
before the first run are driven by the key picture of their access unit. The first picture of a run
has a message, which carries all parameters; the last one before keeps what came last.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from operator import lt

from gfvc.errors import StreamError
from gfvc.options.encoding import MAX_POOL
from gfvc.stream.schedule import MAX_PICTURES, PictureSchedule, RegularPictures
from sei.coder import UNREAD, Coder
from sei.columns import numbers_of, rising_numbers_of
from sei.elements import u, ue

NUMBERS = 256


@dataclass(frozen=True, slots=True)
class ReferenceRuns:
    """The references of the pictures of an access unit.

    `pool` 2..8 key pictures are kept, `number` 0..255 is that of this one. Of each run, `starts`
    has the picture at which it starts, rising from 1 (the key picture is 0), and `backs` how many
    key pictures back its reference lies, 0..pool-1. Raises `ValueError` for anything else.
    """

    pool: int
    number: int
    starts: tuple[int, ...] = ()
    backs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= self.pool <= MAX_POOL:
            raise ValueError(f"a pool of {self.pool} key pictures is not within 2..{MAX_POOL}")
        if not 0 <= self.number < NUMBERS:
            raise ValueError(f"key picture number {self.number} is not within 0..{NUMBERS - 1}")
        if len(self.starts) != len(self.backs):
            raise ValueError(
                f"{len(self.starts)} runs start, and {len(self.backs)} have references"
            )
        before = (0, *self.starts)
        if not all(map(lt, before, self.starts)):
            wrong = next(b for a, b in zip(before, self.starts, strict=False) if a >= b)
            raise ValueError(f"a run cannot start at picture {wrong}")
        if before[-1] >= MAX_PICTURES:
            raise ValueError(f"a run cannot start at picture {before[-1]}")
        outside = set(self.backs).difference(range(self.pool))
        if outside:
            raise ValueError(f"{min(outside)} key pictures back is outside a pool of {self.pool}")

    def spans(self, pictures: int) -> list[tuple[int, int, int]]:
        """First picture, picture after the last, and key pictures back, of each run in turn.

        `pictures` are those of the access unit; runs beyond them were cut off.
        """
        kept = self.starts[: bisect_left(self.starts, pictures)]
        backs = self.backs[: len(kept)]
        return list(zip((0, *kept), (*kept, pictures), (0, *backs), strict=True))

    def check_starts(self, schedule: PictureSchedule) -> None:
        """Raise `StreamError` when a run starts at a picture without a message."""
        sent = schedule.sent if isinstance(schedule.sent, RegularPictures) else set(schedule.sent)
        missing = [start for start in self.starts if start not in sent]
        if missing:
            raise StreamError(
                f"gfvc's user data message has another reference start at picture {min(missing)}, "
                "which has no message"
            )

    @property
    def coded_runs(self) -> list[tuple[int, int]]:
        """Of each run, the pictures between its start and that of the run before, and `back`."""
        distances = (b - a - 1 for a, b in zip((0, *self.starts), self.starts, strict=False))
        return list(zip(distances, self.backs, strict=True))


def reference_runs(c: Coder, given: ReferenceRuns) -> ReferenceRuns:
    """Syntax of the references; `sei.coder` says how it serves reading and writing.

    Starts are differences: of run 0 to the key picture, else to the run before.
    """
    pool = c.u("pool_minus1", 3, given.pool - 1, 1, MAX_POOL - 1) + 1
    number = c.u("key_picture_number", 8, given.number)
    num_runs = c.ue("num_runs", len(given.starts), 0, MAX_PICTURES - 1)
    distances, backs = c.array(
        (ue("run_start_minus1", most=MAX_PICTURES - 1), u("run_back", 3, high=pool - 1)),
        c.items("runs", given.coded_runs, num_runs, 4, UNREAD),
        num_runs,
        lambda: ((i,) for i in range(num_runs)),
    )
    starts = rising_numbers_of(distances)
    return ReferenceRuns(pool, number, starts, tuple(numbers_of(backs)))
