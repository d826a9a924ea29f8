"""Which coded picture of its sequence each one is, whatever the order of the stream.

User data say what belongs to the coded pictures of a sequence by their number in output order.
Encoders of gfvc count pictures by one, so order counts from the IDR picture on are these numbers,
also where pictures are reordered or some are missing. Counts of other encoders may be no such:
where one is that of no picture which is announced, pictures can be counted as they come.
"""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.stream.picture_order import OrderCount

NOT_DUE = (
    "is by its order count none of those of its sequence that did not come yet; the stream is "
    "damaged there, or lacks an IDR picture"
)
"""What is wrong with a coded picture that has no number in a sequence that is reordered."""

LACKS_IDR = (
    "an IDR picture seems to be lost before it; cut the stream off there, or take out all up to "
    "the next IDR picture"
)
"""What is to be done about one that comes after all of its sequence, or starts one of its own."""


class SequencePlaces:
    """Numbers the coded pictures of one sequence after the other, from 0 on, in output order.

    Where `by_order` is false, order counts are not asked, and pictures have the order of the
    stream. `came` are the pictures of the sequence so far, `due` is the number after the highest;
    `is_reordered` says that one came after a picture that is shown later.
    """

    def __init__(self, *, by_order: bool = True) -> None:
        self._by_order = by_order
        self.start(0)

    def start(self, announced: int) -> None:
        """A sequence of so many coded pictures starts with the next picture."""
        self._first: OrderCount | None = None
        self._has_come = bytearray(announced)
        self.came = self.due = 0
        self.is_reordered = False

    def count_from_here(self) -> None:
        """Count the pictures of this sequence that came and will come: order counts are others."""
        announced = len(self._has_come)
        self._first = None
        self.due = self.came
        self._has_come = bytearray(place < self.came for place in range(announced))
        self.is_reordered = False

    def number(self, order: OrderCount | None) -> int | None:
        """The number of the next picture, by its order count where this can be told.

        None where that is of no further picture of the sequence: it is not announced, or came.
        """
        number, first = self.due, self._first
        if not self.came:
            self._first = order
        elif self._by_order and order and first and order.starts == first.starts:
            number = order.value - first.value
        self.came += 1
        if not 0 <= number < len(self._has_come) or self._has_come[number]:
            return None
        self._has_come[number] = True
        self.is_reordered |= number < self.due
        self.due = max(self.due, number + 1)
        return number

    def gaps(self) -> Iterator[tuple[int, int]]:
        """The numbers that did not come before others that did: first, and after the last."""
        first = self._has_come.find(0, 0, self.due)
        while first >= 0:
            after = self._has_come.find(1, first, self.due)
            yield first, after
            first = self._has_come.find(0, after, self.due)
