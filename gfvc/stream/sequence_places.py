"""Which coded picture of its sequence each one is, also where some before it are missing.

User data say what belongs to the coded pictures of a sequence by their number. Encoders of gfvc
count pictures by one, so order counts are these numbers. Counts of other encoders may be no such:
where one is that of no picture which is announced, coming pictures are counted instead.
"""

from __future__ import annotations

from gfvc.stream.picture_order import OrderCount


class SequencePlaces:
    """Numbers the coded pictures of one sequence after the other, from 0 on.

    Where `by_order` is false, order counts are not asked. `came` are the pictures of the sequence
    so far, `due` is the number that the next one has where none is missing.
    """

    def __init__(self, *, by_order: bool = True) -> None:
        self._by_order = by_order
        self._first: OrderCount | None = None  # of the sequence
        self.came = self.due = 0

    def start(self) -> None:
        """A sequence starts with the next picture."""
        self._first = None
        self.came = self.due = 0

    def count_from_here(self) -> None:
        """Count the pictures of this sequence that came and will come: order counts are others."""
        self._first, self.due = None, self.came

    def number(self, order: OrderCount | None) -> int:
        """The number of the next picture, by its order count where this can be told."""
        number = self.due
        if not self.came:
            self._first = order
        elif self._by_order and order is not None and self._first is not None:
            since = order.value - self._first.value
            number = max(number, since) if order.starts == self._first.starts else number
        self.came, self.due = self.came + 1, number + 1
        return number
