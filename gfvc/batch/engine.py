"""What an engine is: it runs functions in other processes, here or on other machines.

Local engines are `concurrent.futures` (`gfvc.batch.local`), clusters are Dask's
(`gfvc.batch.cluster`). Both are used alike, by way of `completed`.
"""

from __future__ import annotations

import contextlib
import queue
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from gfvc.errors import GfvcError
from gfvc.options.sharing import EngineName, EngineOptions
from gfvc.telling import Messages, Notes, unheard

Tag = TypeVar("Tag")

_LOOK_SECONDS = 20.0


class WorkerLostError(GfvcError):
    """The process that ran a function ended before the function did."""


class Engine(Protocol):
    """Runs functions elsewhere; they and their arguments can be pickled.

    `width` says how many functions are worth being handed over at a time.
    """

    width: int

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function run."""

    def is_loss(self, error: BaseException) -> bool:
        """Whether an error says that the process that ran the function was lost."""

    def look_around(self) -> None:
        """Called now and then while nothing ends: tell a user what is waited for."""

    def stop(self) -> None:
        """Start nothing any more, and end what runs as far as that can be done."""


@dataclass(slots=True)
class Task(Generic[Tag]):
    """A function to run and its arguments; `tag` is whatever the caller knows it by."""

    tag: Tag
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    losses: int = field(default=0, init=False)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine, as a user asks for it.

    `workers` are processes of the local engine (None: as many as there are cores and memory for
    at `megabytes` each), `scheduler` is the address of a Dask scheduler.
    """

    name: EngineName = "local"
    workers: int | None = None
    scheduler: str = ""
    megabytes: int = 1

    @classmethod
    def of(cls, options: EngineOptions, megabytes: int) -> EngineChoice:
        """The engine that options ask for; a process of it takes so much memory."""
        return cls(options.engine, options.jobs, options.scheduler or "", megabytes)

    @property
    def is_one_by_one(self) -> bool:
        """Whether there is nothing to share out: one process of this machine."""
        return self.name == "local" and self.workers == 1


@contextlib.contextmanager
def open_engine(
    choice: EngineChoice, told: Messages = unheard, notes: Notes = unheard
) -> Iterator[Engine]:
    """The engine of the user's choice; when the block fails, all that runs is ended.

    `notes` is told what a user should know: what the work waits for.
    Raises `GfvcError` when the cluster cannot be reached, `NoProcessesError` when this machine
    cannot have processes that work together.
    """
    with contextlib.ExitStack() as stack:
        engine: Engine
        if choice.name == "dask":
            from gfvc.batch.cluster import connected

            engine = stack.enter_context(connected(choice.scheduler, told, notes))
        else:
            from gfvc.batch.local import LocalEngine, workers_for

            workers = choice.workers or workers_for(choice.megabytes)
            engine = stack.enter_context(LocalEngine(workers, told))
        try:
            yield engine
        except BaseException:
            engine.stop()
            raise


def completed(
    engine: Engine,
    tasks: Iterable[Task[Tag]],
    further: deque[Task[Tag]] | None = None,
    *,
    retries: int = 0,
) -> Iterator[tuple[Task[Tag], Future[Any]]]:
    """Run tasks; each with its future when that is done, in whatever order they end.

    Tasks are taken as there is room for them, those that the caller puts into `further` meanwhile
    first. A task whose process is lost is run again up to `retries` times; then its future has a
    `WorkerLostError`.
    """
    ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
    running: dict[Future[Any], Task[Tag]] = {}
    first = deque[Task[Tag]]() if further is None else further
    source = iter(tasks)
    while True:
        while len(running) < engine.width:
            task = first.popleft() if first else next(source, None)
            if task is None:
                break
            future = engine.submit(task.function, *task.arguments)
            running[future] = task
            future.add_done_callback(ended.put)
        if not running:
            return
        try:
            future = ended.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            engine.look_around()
            continue
        task = running.pop(future)
        error = _error_of(future)
        if error is not None and engine.is_loss(error):
            task.losses += 1
            if task.losses <= retries:
                first.append(task)
                continue
            error = WorkerLostError(lost_text(task.losses))
        answer: Future[Any] = Future()
        if error is None:
            answer.set_result(future.result())
        else:
            answer.set_exception(error)
        # A scheduler does a task again whose future somebody holds, when its answer is lost.
        del future
        yield task, answer


def lost_text(times: int) -> str:
    """What is said of work whose process crashed so many times."""
    often = "" if times == 1 else f", {times} times"
    return f"the process that worked on it ended before it was done{often}"


def tell(message: Any) -> None:
    """Tell the engine's owner something, from within a function that runs in a worker.

    Messages are JSON values. Where no engine runs the function, nobody is told.
    """
    from gfvc.batch import local

    if not local.pass_on(message) and "distributed" in sys.modules:
        from gfvc.batch import cluster

        cluster.pass_on(message)


def _error_of(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error
