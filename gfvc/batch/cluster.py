"""The cluster engine: Dask's scheduler and workers, on any number of machines.

They have gfvc, and see the same files by the same names. As with the local engine, workers that
share a machine's cores are bound to a part of them each, while they run our functions: the threads
of each would be in the others' way. Workers that join later are not bound.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import pydoc
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NoAnswer
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from gfvc import __version__
from gfvc.errors import GfvcError
from gfvc.telling import Messages, Notes, unheard
from models.parallel import usable_cores

if TYPE_CHECKING:
    from distributed import Client, Worker

_CONNECT_SECONDS = 15
# How long workers may take to answer what takes them no time; one that works on a task holds its
# interpreter at times.
_ANSWER_SECONDS = 60.0
_OURS = "gfvc.__version__"
# Tasks at the scheduler at a time: enough for large clusters, and soon told.
_WIDTH = 1000


class ClusterError(GfvcError):
    """The cluster cannot be reached, or Dask is not installed."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """What came of a function: what it returned, or the error that it raised."""

    value: Any = None
    error: Exception | None = None


class _AnswerLostError(Exception):
    """The cluster has something else to say of a function than what came of it."""


class DaskEngine:
    """Has functions run by the workers of a Dask cluster; `notes` is told when all have gone."""

    width = _WIDTH

    def __init__(self, client: Client, scheduler: str, topic: str, notes: Notes = unheard) -> None:
        self._client = client
        self._scheduler = scheduler
        self._topic = topic
        self._notes = notes
        self._has_workers = True
        # Each call is one of its own, whatever its arguments.
        self._executor = client.get_executor(pure=False)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function run by some worker."""
        answer: Future[Any] = Future()
        ended = self._executor.submit(_in_worker, self._topic, function, arguments)
        ended.add_done_callback(partial(_hand_on, answer))
        return answer

    def is_loss(self, error: BaseException) -> bool:
        """Whether workers died of the function, or its answer was lost with them."""
        return isinstance(error, _AnswerLostError)

    def look_around(self) -> None:
        """Tell once that there are no workers any more: others can join, and are waited for."""
        before, self._has_workers = (
            self._has_workers,
            bool(self._client.scheduler_info()["workers"]),
        )
        if before and not self._has_workers:
            self._notes(_waiting(self._scheduler, "any more"))

    def stop(self) -> None:
        """Take back what has not begun; what runs on a worker ends by itself."""
        self._executor.shutdown(wait=False)


def _hand_on(answer: Future[Any], ended: Future[Any]) -> None:
    """Have a future end as a function did in its worker.

    When a worker dies with an answer just as it is fetched, Dask may raise errors of any kind; none
    of these is the function's own, which come as they are.
    """
    try:
        came = ended.result()
    except (Exception, CancelledError) as error:
        came = error
    if not isinstance(came, _Ended):
        answer.set_exception(_AnswerLostError(repr(came)))
    elif came.error is not None:
        answer.set_exception(came.error)
    else:
        answer.set_result(came.value)


@contextlib.contextmanager
def connected(scheduler: str, told: Messages, notes: Notes = unheard) -> Iterator[DaskEngine]:
    """The cluster of a scheduler, by its address (tcp://HOST:PORT).

    `notes` is told when it has no workers, or loses all, for some can join later. Raises
    `ClusterError` when the scheduler cannot be reached, or a worker does not answer or has not this
    version of gfvc.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError(
            "--engine dask needs Dask, which is not installed: pip install 'gfvc[cluster]'"
        ) from None
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterError(
            f"{scheduler}: no Dask scheduler can be reached there ({reason}); start one with "
            "dask scheduler"
        ) from None
    with client:
        workers = _Workers(client, scheduler)
        if not workers.check_versions():
            notes(_waiting(scheduler, "yet"))
        topic = f"gfvc-{client.id}"
        client.subscribe_topic(topic, lambda event: told(event[1]))
        if hasattr(os, "sched_setaffinity"):
            workers.ask(_take_share, core_shares(workers.ask(_place)))
        yield DaskEngine(client, scheduler, topic, notes)


def _waiting(scheduler: str, since: str) -> str:
    return f"{scheduler}: has no workers {since}; waiting for some (dask worker {scheduler})"


class _Workers:
    """The workers that a scheduler has, asked all at once."""

    def __init__(self, client: Client, scheduler: str) -> None:
        self._client = client
        self._scheduler = scheduler

    def check_versions(self) -> int:
        """The number of workers; raise `ClusterError` when one has not our version of gfvc.

        It would end at the first of our functions that it is sent; this one Python itself has.
        """
        answers = self.ask(pydoc.locate, _OURS, on_error="return")
        for address, answer in sorted(answers.items()):
            if answer != __version__:
                found = f"gfvc {answer}" if isinstance(answer, str) else "no gfvc"
                raise ClusterError(
                    f"{self._scheduler}: the worker at {address} has {found}; install gfvc "
                    f"{__version__} there"
                )
        return len(answers)

    def ask(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        on_error: Literal["return", "ignore"] = "ignore",
    ) -> dict[str, Any]:
        """What a function returns in each worker, by its address.

        Raises `ClusterError` when there is no answer, for one that hangs is waited for without end.
        """
        answers: Future[dict[str, Any]] = Future()

        def run() -> None:
            try:
                answers.set_result(self._client.run(function, *arguments, on_error=on_error))
            except Exception as error:  # whatever it is, it goes to who asks
                answers.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            return answers.result(_ANSWER_SECONDS)
        except NoAnswer:
            problem = f"do not answer within {_ANSWER_SECONDS:g} s"
        except OSError as error:
            problem = f"cannot be asked ({error})"
        raise ClusterError(f"{self._scheduler}: its workers {problem}; start them anew")


def core_shares(places: Mapping[str, tuple[str, list[int]]]) -> dict[str, list[int]]:
    """The cores of each worker, by its address.

    Args:
        places: of each worker, the machine that it runs on and the cores that it may use there.
            Those with the same of both share these cores.
    """
    together: defaultdict[tuple[str, tuple[int, ...]], list[str]] = defaultdict(list)
    for address, (machine, cores) in sorted(places.items()):
        together[machine, tuple(cores)].append(address)
    return {
        address: list(cores[number % len(cores) :: len(addresses)])
        for (_, cores), addresses in together.items()
        for number, address in enumerate(addresses)
    }


_running = threading.local()
_share: list[int] | None = None


def _place() -> tuple[str, list[int]]:
    return socket.gethostname(), usable_cores()


def _take_share(shares: Mapping[str, list[int]], dask_worker: Worker) -> None:
    global _share  # noqa: PLW0603 - the process is one worker
    _share = shares.get(dask_worker.address)


def _in_worker(topic: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> _Ended:
    _running.topic = topic
    try:
        with _on_own_cores():
            return _Ended(function(*arguments))
    except Exception as error:  # whatever it is, it goes to who asks
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            return _Ended(error=GfvcError(f"{type(error).__name__}: {error}"))
        return _Ended(error=error)


@contextlib.contextmanager
def _on_own_cores() -> Iterator[None]:
    """Bind this thread, and what it starts, to the worker's share of the cores."""
    if _share is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _share)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pass_on(message: Any) -> None:
    """Tell the engine's owner something, from a worker of the cluster."""
    from distributed import get_worker

    topic = getattr(_running, "topic", None)
    if topic is not None:
        get_worker().log_event(topic, message)
