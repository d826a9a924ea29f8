"""The cluster engine: Dask's scheduler and workers, on any number of machines.

They have gfvc, and see the same files by the same names. As with the local engine, workers that
share a machine's cores are bound to a part of them each, while they run our functions: the threads
of each would be in the others' way. Workers that join later are not bound.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from gfvc.batch.local import usable_cores
from gfvc.errors import GfvcError
from gfvc.telling import Messages

if TYPE_CHECKING:
    from distributed import Client, Worker

_CONNECT_SECONDS = 15
# Tasks at the scheduler at a time: enough for large clusters, and soon told.
_WIDTH = 1000


class ClusterError(GfvcError):
    """The cluster cannot be reached, or Dask is not installed."""


class DaskEngine:
    """Has functions run by the workers of a Dask cluster."""

    width = _WIDTH

    def __init__(self, client: Client, topic: str) -> None:
        from distributed.scheduler import KilledWorker

        self._topic = topic
        # Each call is one of its own, whatever its arguments.
        self._executor = client.get_executor(pure=False)
        self._losses = (KilledWorker, CancelledError)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function run by some worker."""
        future: Future[Any] = self._executor.submit(_in_worker, self._topic, function, arguments)
        return future

    def is_loss(self, error: BaseException) -> bool:
        """Whether workers died of the function, or the scheduler has lost it."""
        return isinstance(error, self._losses)

    def stop(self) -> None:
        """Take back what has not begun; what runs on a worker ends by itself."""
        self._executor.shutdown(wait=False)


@contextlib.contextmanager
def connected(scheduler: str, told: Messages) -> Iterator[DaskEngine]:
    """The cluster of a scheduler, by its address (tcp://HOST:PORT).

    Raises `ClusterError` when it cannot be reached.
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
        topic = f"gfvc-{client.id}"
        client.subscribe_topic(topic, lambda event: told(event[1]))
        if hasattr(os, "sched_setaffinity"):
            shares = core_shares(client.run(_place, on_error="ignore"))
            client.run(_take_share, shares, on_error="ignore")
        yield DaskEngine(client, topic)


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


def _in_worker(topic: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    _running.topic = topic
    with _on_own_cores():
        return function(*arguments)


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
