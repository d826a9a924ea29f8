"""How far the coding of pictures has come: a segment is coded long after its pictures were seen."""

from __future__ import annotations

from collections.abc import Callable

from gfvc.telling import Share

# What a picture counts once it has been looked at: about its part of the time at 256x256.
SEEN = 0.2


def part_of(tell: Share, start: float, end: float) -> Share:
    """What is told of a part of some work, which is from `start` to `end` of it."""
    return lambda share: tell(start + share * (end - start))


class WorkDone:
    """Counts pictures that are done, and those of a segment by the work that is done on it.

    `tell` gets each number once, rising. With `seen_is_all` a picture is done when it was seen.
    """

    def __init__(self, tell: Callable[[int], None], *, seen_is_all: bool) -> None:
        self._tell = tell
        self._of_seen = 1.0 if seen_is_all else SEEN
        self._seen = 0
        self._coded = 0
        self._told = 0

    def see(self, coded: int) -> None:
        """Count one more picture that was seen; of all so far, so many are coded."""
        self._seen += 1
        self._coded = coded
        self._now(0)

    def of_segment(self, pictures: int) -> Share:
        """What is told of the work on the pictures that are coded next."""
        return lambda share: self._now(share * pictures)

    def finish(self) -> None:
        """All that was seen is coded."""
        self._coded = self._seen
        self._now(0)

    def _now(self, worked_on: float) -> None:
        waiting = self._seen - self._coded
        count = self._coded + waiting * self._of_seen + worked_on * (1 - self._of_seen)
        # What was worked on in vain is done again: the number stands still meanwhile.
        if count >= self._told + 1:
            self._told = int(count)
            self._tell(self._told)
