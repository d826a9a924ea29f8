"""Tuples of numbers that stay arrays until they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
