"""Several threads, results in order."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from models.parallel import finish, map_behind, map_in_order, one_ahead, one_blas_thread


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order(threads: int) -> None:
    def slow_when_even(number: int) -> int:
        time.sleep(0.01 if number % 2 == 0 else 0)
        return number * number

    assert list(map_in_order(slow_when_even, range(9), threads)) == [n * n for n in range(9)]


def test_pictures_are_worked_on_together() -> None:
    both = threading.Barrier(2, timeout=10)
    assert list(map_in_order(lambda _: both.wait() >= 0, range(4), 2)) == [True] * 4


def blas_threads() -> list[int]:
    return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]


def test_linear_algebra_has_its_threads_again_when_the_last_is_done() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        first, second = (map_in_order(abs, range(9), 2) for _ in range(2))
        assert [next(first), next(second)] == [0, 0]
        first.close()
        assert set(blas_threads()) == {1}
        with one_blas_thread():
            second.close()
            assert set(blas_threads()) == {1}
        assert blas_threads() == before


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
    assert len(taken) == 7
    results.close()


def test_one_is_worked_on_while_the_next_is_taken() -> None:
    """By another thread; results come in order, and errors where they were due."""
    both = threading.Barrier(2, timeout=10)
    here = threading.get_ident()

    def items() -> Iterator[int]:
        yield 0
        assert threading.get_ident() == here
        both.wait()
        yield 1

    def work(number: int) -> int:
        assert threading.get_ident() != here
        if number == 0:
            both.wait()
        return 1 // (1 - number)

    results = map_behind(work, items())
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_two_are_taken_before_the_first_result() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_behind(lambda number: number, items())
    assert [next(results), next(results)] == [0, 1]
    assert len(taken) == 3
    results.close()


def test_what_is_begun_here_is_finished_by_others() -> None:
    """Begun in order, by whoever asks for it; finished together."""
    both = threading.Barrier(2, timeout=10)
    begun: list[int] = []

    def rest() -> int:
        both.wait()
        return threading.get_ident()

    def items() -> Iterator[Callable[[], int]]:
        for _ in range(4):
            begun.append(threading.get_ident())
            yield rest

    finished = list(finish(items(), 2))
    assert begun == [threading.get_ident()] * 4
    assert threading.get_ident() not in finished


def test_one_ahead_gives_all_in_order() -> None:
    assert list(one_ahead(iter(range(20)))) == list(range(20))
    assert list(one_ahead([])) == []


def test_one_item_is_made_while_the_last_is_used() -> None:
    made: list[int] = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    coming = one_ahead(items())
    assert next(coming) == 0
    assert second.wait(10)
    assert len(made) == 2
    coming.close()


def test_an_error_is_raised_where_its_item_was_due() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    coming = one_ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="no more"):
        next(coming)


def test_closing_ends_what_makes_the_items() -> None:
    ended = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            ended.set()

    coming = one_ahead(items())
    next(coming)
    coming.close()
    assert ended.is_set()


AT_EXIT = """
import atexit
from models.parallel import map_in_order, one_ahead

def work(number):
    if number == 4:
        raise ValueError("four")
    return number

@atexit.register
def last():
    print(list(one_ahead(range(4))))
    results = map_in_order(work, range(9), 2)
    try:
        for number in results:
            print(number)
    except ValueError as error:
        print(error)
"""


def test_work_is_done_while_the_interpreter_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, text=True, check=False
    )
    says = "[0, 1, 2, 3]\n0\n1\n2\n3\nfour\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, says, "")
