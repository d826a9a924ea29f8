"""The local engine: processes of this machine, by `concurrent.futures`.

Each process has cores of its own, to which the kernel binds it and all that it starts. Whatever
library or program asks how many cores there are is told these, so that together they have no
more threads than the machine has cores. Each process is an executor of its own, so one that
crashes takes nothing with it.
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gfvc.ending import EXIT_OF_SIGNAL, end_on_signals, ended_by
from gfvc.errors import NoProcessesError
from gfvc.telling import Messages
from models.parallel import usable_cores

# Signals of the terminal reach all of its processes; which of them end is our decision.
_OF_TERMINAL = {signal.SIGINT, signal.SIGHUP}
_EXIT_ENDED = EXIT_OF_SIGNAL + signal.SIGTERM
# How long a process may take to tidy up.
_PATIENCE = 10.0

# What the system says for want of anything but a place for semaphores.
_OTHER_WANTS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}

_MEMORY = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_megabytes() -> float:
    """Memory that is free for new processes, in MB; infinite where the system does not say."""
    free = float("inf")
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
        [available] = [line for line in lines if line.startswith("MemAvailable:")]
        free = int(available.split()[1]) * 1024 / 1e6
    with contextlib.suppress(OSError, ValueError):  # no limit is the word "max"
        limit = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        free = min(free, (limit - used) / 1e6)
    return free


def workers_for(megabytes: int) -> int:
    """How many processes of so many MB each there are cores and memory for; 1 at the least."""
    return max(1, min(len(usable_cores()), int(min(free_megabytes() / megabytes, 1 << 16))))


@contextlib.contextmanager
def _semaphores_wanted() -> Iterator[None]:
    """Raise `NoProcessesError` where a pool of processes has no place for its semaphores."""
    try:
        yield
    except OSError as error:
        if error.errno in _OTHER_WANTS:
            raise
        raise NoProcessesError(
            f"/dev/shm: cannot be used ({error.strerror or error}), and Python's process pools "
            "keep semaphores there; mount it, writable and with free space (docker: --shm-size)"
        ) from error


class LocalEngine:
    """`workers` processes, each with its share of the cores. Use as a context.

    Processes are started afresh when they are first needed, for threads of libraries that are
    loaded here would not survive a fork. They end when this process does, however it ends.
    Raises `NoProcessesError` where there is no place for what they need.
    """

    def __init__(self, workers: int, told: Messages) -> None:
        cores = usable_cores()
        self.width = workers
        self._told = told
        Path.cwd()  # where workers begin: an error now, rather than one of each clip
        with _semaphores_wanted():
            # The same, by a pool that starts nothing; of the others' kind it would start a helper.
            ProcessPoolExecutor(1, multiprocessing.get_context("fork")).shutdown()
        self._context = multiprocessing.get_context("spawn")
        self._shares: SimpleQueue[list[int]] = SimpleQueue()
        for number in range(workers):
            self._shares.put(cores[number % len(cores) :: workers])
        self._threads = ThreadPoolExecutor(workers)
        self._own = threading.local()
        self._pids: set[int] = set()
        self._pools: list[ProcessPoolExecutor] = []
        self._listeners: list[threading.Thread] = []
        self._telling = threading.Lock()
        self._stopped = False

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *ended: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for pool in self._pools:
            pool.shutdown()
        for listener in self._listeners:
            listener.join()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function run by the next process that is free."""
        return self._threads.submit(self._run, function, arguments)

    def is_loss(self, error: BaseException) -> bool:
        """Whether a process crashed."""
        return isinstance(error, BrokenProcessPool)

    def look_around(self) -> None:
        """A process that is gone is a loss, and another one is started: nothing is waited for."""

    def stop(self) -> None:
        """End all processes: they tidy up first, and are killed when that takes long."""
        self._stopped = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._signal(signal.SIGTERM)
        timer = threading.Timer(_PATIENCE, self._signal, [signal.SIGKILL])
        timer.daemon = True
        timer.start()
        try:
            self._threads.shutdown()
        finally:
            timer.cancel()

    def _run(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Run a function in the process of this thread."""
        if self._stopped:
            raise CancelledError
        pool = getattr(self._own, "pool", None) or self._started()
        try:
            return pool.submit(_in_worker, function, arguments).result()
        except BrokenProcessPool:
            self._pids.discard(self._own.pid)
            self._own.pool = None
            pool.shutdown()
            raise

    def _started(self) -> ProcessPoolExecutor:
        if not hasattr(self._own, "cores"):
            self._own.cores = self._shares.get()
            # What is blocked here is so in what this thread starts. The library's own helper
            # comes first, for starting it unblocks SIGINT; a SIGHUP would end it before us.
            signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINAL)
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINAL)
        reader, writer = self._context.Pipe(duplex=False)
        with _semaphores_wanted():
            pool = ProcessPoolExecutor(
                1, self._context, initializer=_begin_worker, initargs=(self._own.cores, writer)
            )
        self._own.pool = pool
        self._pools.append(pool)
        self._own.pid = pool.submit(os.getpid).result()
        self._pids.add(self._own.pid)
        writer.close()  # the process has it, and with its end comes that of the messages
        listener = threading.Thread(target=self._listen, args=[reader], daemon=True)
        listener.start()
        self._listeners.append(listener)
        if self._stopped:
            self._signal(signal.SIGTERM)
        return pool

    def _signal(self, number: int) -> None:
        for pid in list(self._pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _listen(self, messages: Connection) -> None:
        with contextlib.suppress(EOFError, OSError), messages:
            while True:
                message = messages.recv()
                with self._telling:
                    self._told(message)


_messages: Connection | None = None


def pass_on(message: Any) -> bool:
    """Tell the engine's owner something, from a worker; False where this is none."""
    if _messages is None:
        return False
    _messages.send(message)
    return True


def _begin_worker(cores: list[int], messages: Connection) -> None:
    """Set up a new worker process."""
    global _messages  # noqa: PLW0603 - a worker process has one owner
    _messages = messages
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_on_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_PATIENCE)
    os._exit(_EXIT_ENDED)


def _in_worker(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    # The pool's own loop takes an exception for a function's failure, and goes on.
    _leave_when_ended()
    try:
        return function(*arguments)
    finally:
        _leave_when_ended()


def _leave_when_ended() -> None:
    """Leave at once when a signal asked for it; all has been tidied up here."""
    if ended_by() is not None:
        os._exit(_EXIT_ENDED)
