"""From the columns of an array, as a coder gives them, to what a message holds.

Those are tuples of numbers; long ones stay arrays until they are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from sei.face_messages import MatrixElement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sei.coder import Columns

T_co = TypeVar("T_co", covariant=True)


class LazyTuple(Sequence[T_co], Generic[T_co]):
    """What ``make(*arrays)`` gives, made when it is first looked at, and equal to that tuple.

    A message can hold a hundred thousand numbers, of which many a reader wants to know only that
    they are there, and others go on computing with the ``arrays``. The first axis of each array
    goes along the tuple.
    """

    __slots__ = ("_items", "_make", "arrays")

    def __init__(self, make: Callable[..., tuple[T_co, ...]], *arrays: NDArray[Any]) -> None:
        self._make = make
        self.arrays = arrays
        self._items: tuple[T_co, ...] | None = None

    def _made(self) -> tuple[T_co, ...]:
        if self._items is None:
            self._items = self._make(*self.arrays)
        return self._items

    def __len__(self) -> int:
        return len(self.arrays[0])

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        if isinstance(index, slice) and self._items is None:
            return self._make(*(array[index] for array in self.arrays))
        return self._made()[index]

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._made())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyTuple):
            return self._made() == other._made()
        return self._made() == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._made())

    def __repr__(self) -> str:
        return repr(self._made())


def integers(array: NDArray[Any]) -> tuple[int, ...]:
    """The numbers of an array [n]."""
    return tuple(array.tolist())


def rows(array: NDArray[Any]) -> tuple[tuple[int, ...], ...]:
    """The rows of an array [n, columns]."""
    return tuple(map(tuple, array.tolist()))


def matrices(array: NDArray[Any]) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The matrices of an array [n, rows, columns]."""
    return tuple(tuple(map(tuple, matrix)) for matrix in array.tolist())


def numbers_of(column: Any) -> list[int]:
    """The numbers of a column."""
    return list(column) if isinstance(column, (list, tuple)) else column.tolist()


def rising_numbers_of(column: Any) -> tuple[int, ...]:
    """Numbers from 1 on, of which a column has how many lie between each and the one before.

    >>> rising_numbers_of([0, 0, 2])
    (1, 2, 5)
    """
    if isinstance(column, (list, tuple)):
        return tuple(accumulate([between + 1 for between in column]))
    return tuple((column + 1).cumsum().tolist())


def magnitudes_and_signs(numbers: Iterable[int]) -> list[int]:
    """Of each number its magnitude, and whether it is negative."""
    return [part for number in numbers for part in (abs(number), number < 0)]


def keypoints_of(columns: Columns) -> Sequence[tuple[int, ...]]:
    """Keypoints of columns of magnitudes and signs, for one axis after the other."""
    if isinstance(columns[0], list):
        axes = (
            [-m if negative else m for m, negative in zip(*pair, strict=True)]
            for pair in zip(columns[::2], columns[1::2], strict=True)
        )
        return tuple(zip(*axes, strict=True))
    import numpy as np

    signed = [
        np.where(negative, -magnitude, magnitude)
        for magnitude, negative in zip(columns[::2], columns[1::2], strict=True)
    ]
    return LazyTuple(rows, np.stack(signed, 1))


def matrix_elements_of(columns: Columns) -> Sequence[MatrixElement]:
    """Matrix elements of columns of integers, fractions and signs."""
    if isinstance(columns[0], list):
        return tuple(map(MatrixElement, *columns))
    return LazyTuple(_matrix_elements, *columns)


def _matrix_elements(
    integers: NDArray[Any], fractions: NDArray[Any], negative: NDArray[Any]
) -> tuple[MatrixElement, ...]:
    signs = map(bool, negative.tolist())
    return tuple(map(MatrixElement, integers.tolist(), fractions.tolist(), signs))
