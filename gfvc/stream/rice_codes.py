"""How many low bits the Rice codes of some numbers have: those that take the fewest bits."""

from __future__ import annotations

from collections.abc import Sequence


def rice_bits(numbers: Sequence[int], low: int) -> int:
    """What the codes of numbers, none negative, take with so many low bits."""
    return sum((number >> low) + 1 + low for number in numbers)


def best_rice_parameter(numbers: Sequence[int], size: int) -> int:
    """The number of low bits, itself coded in `size` bits, with which codes take the fewest.

    >>> best_rice_parameter([5, 6, 7], 3)
    2
    """
    return min(range(1 << size), key=lambda low: rice_bits(numbers, low))
