"""From the columns of an array, as a coder gives them, to what a message holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sei.face_messages import MatrixElement
from sei.lazy_tuples import LazyTuple, rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sei.coder import Columns


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
