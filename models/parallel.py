"""Work on several pictures at the same time, in order."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8
"""Pictures worked on at the same time at most; each takes some 10 MB."""

# Items for each thread that are taken ahead of what is wanted next: what is begun while a coded
# picture is made ready, so that the threads have work meanwhile.
_AHEAD = 3


def one_ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The items; each is made by another thread while the one before is used.

    What goes wrong is raised where the item was due.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(1)
    try:
        # Lists of one, and an empty one at the end: an exception would keep all that is used here.
        coming = begin(pool, _next_of, source)
        while item := coming.result():
            coming = begin(pool, _next_of, source)
            yield from item
    finally:
        pool.shutdown()
        if isinstance(source, Generator):
            source.close()


def _next_of(source: Iterator[Item]) -> list[Item]:
    return list(islice(source, 1))


def map_behind(
    work: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    """`map`; another thread works on an item while the next one is taken in the caller's thread.

    Whatever `work` raises is raised where its result was due.
    """
    pool = ThreadPoolExecutor(1)
    try:
        before: list[Future[Result]] = []
        for item in items:
            before.append(begin(pool, work, item))
            if len(before) > 1:
                yield before.pop(0).result()
        for last in before:
            yield last.result()
    finally:
        pool.shutdown(cancel_futures=True)


def map_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Generator[Result, None, None]:
    """`map` with as many threads as there are cores, or as is said.

    Three items for each of these are taken ahead.

    NumPy's linear algebra gets no threads of its own meanwhile: they would be in the way of these.

    `items` are taken in the caller's thread. Whatever `work` raises is raised where its result
    was due.
    """
    threads = threads or min(len(usable_cores()), MOST_THREADS)
    if threads == 1:
        yield from map(work, items)
        return
    ahead: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        with one_blas_thread():
            for item in items:
                ahead.append(begin(pool, work, item))
                if len(ahead) > _AHEAD * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def finish(begun: Iterable[Callable[[], Result]], threads: int | None = None) -> Iterator[Result]:
    """Call what was begun, in order; threads and all else are as of `map_in_order`."""
    return map_in_order(lambda rest: rest(), begun, threads)


class _OneBlasThread:
    """Who asked for one thread, and what is then to be set back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = 0
        self._limit: threadpool_limits | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._limit is None:
                self._limit = threadpool_limits(1, user_api="blas")
            self._asking += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                if not self._asking:
                    self._limit.restore_original_limits()
                    self._limit = None


one_blas_thread = _OneBlasThread()
"""A context in which NumPy's linear algebra gets no threads of its own, in the whole process.

It has them again when the last who asks is done. Who asks may end in any order: where each set back
what it found, the process would be left with one thread. The libraries are looked for once.
"""


def begin(pool: ThreadPoolExecutor, work: Callable[[Item], Result], item: Item) -> Future[Result]:
    """Have a pool do some work; where the interpreter ends and lets no pool begin any, do it now.

    That is so in functions of `atexit`, and in a thread that goes on when the main one has ended.
    """
    try:
        return pool.submit(work, item)
    except RuntimeError:
        if threading.main_thread().is_alive():
            raise
    pool.shutdown()  # what was begun before is done before
    done: Future[Result] = Future()
    try:
        done.set_result(work(item))
    except BaseException as error:
        done.set_exception(error)
    return done


def usable_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
