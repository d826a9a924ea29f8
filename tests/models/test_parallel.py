"""Several threads, results in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from models.parallel import map_in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads: int) -> None:
    def slow_when_even(number: int) -> int:
        time.sleep(0.01 if number % 2 == 0 else 0)
        return number * number

    assert list(map_in_order(slow_when_even, range(9), threads)) == [n * n for n in range(9)]


def test_pictures_are_worked_on_together() -> None:
    both = threading.Barrier(2, timeout=10)
    assert list(map_in_order(lambda _: both.wait() >= 0, range(4), 2)) == [True] * 4


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_where_its_result_was_due(threads: int) -> None:
    results = map_in_order(lambda number: 1 // (2 - number), range(5), threads)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_little_is_taken_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_in_order(lambda number: number, items(), 2)
    assert next(results) == 0
    assert len(taken) == 3
    results.close()  # type: ignore[attr-defined]
