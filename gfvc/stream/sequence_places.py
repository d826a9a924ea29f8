"""Which coded picture of its sequence each one is, whatever the order of the stream.

User data say what belongs to the coded pictures of a sequence by their number in output order.
Encoders of gfvc count pictures by one, so order counts from the IDR picture on are these numbers,
also where pictures are reordered or some are missing. Counts of other encoders may be no such:
where one is that of no picture which is announced, coming pictures are counted instead.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterator

from gfvc.stream.picture_order import OrderCount


class SequencePlaces:
    """Numbers the coded pictures of one sequence after the other, from 0 on, in output order.

    Where `by_order` is false, order counts are not asked, and pictures have the order of the
    stream. `came` are the pictures of the sequence so far.
    """

    def __init__(self, *, by_order: bool = True) -> None:
        self._by_order = by_order
        self._first: OrderCount | None = None  # of the sequence
        self._numbers = array("q")  # of those that came, rising
        self.came = 0

    def start(self) -> None:
        """A sequence starts with the next picture."""
        self._first = None
        self._numbers = array("q")
        self.came = 0

    def count_from_here(self) -> None:
        """Count the pictures of this sequence that came and will come: order counts are others."""
        self._first, self._numbers = None, array("q", range(self.came))

    def number(self, order: OrderCount | None) -> int | None:
        """The number of the next picture, by its order count where this can be told.

        None where the order count is that of no further picture of the sequence: a picture has it
        that came, or it is less than that of the first.
        """
        number: int | None = self._numbers[-1] + 1 if self._numbers else 0
        if not self.came:
            self._first = order
        elif self._by_order and order is not None and self._first is not None:
            since = order.value - self._first.value
            if order.starts == self._first.starts:
                number = None if since < 0 or self._has(since) else since
        self.came += 1
        if number is not None:
            insort(self._numbers, number)
        return number

    def _has(self, number: int) -> bool:
        place = bisect_left(self._numbers, number)
        return self._numbers[place : place + 1] == array("q", [number])

    @property
    def due(self) -> int:
        """The number after that of the picture which is shown last so far."""
        return self._numbers[-1] + 1 if self._numbers else 0

    def gaps(self) -> Iterator[tuple[int, int]]:
        """The numbers that did not come before others that did: first, and after the last."""
        next_one = 0
        for number in self._numbers:
            if number > next_one:
                yield next_one, number
            next_one = number + 1
