"""The least memory, threads and open files that a command can be run with.

Libraries that do arithmetic end badly where memory runs out while they are loaded or started: ONNX
Runtime and MediaPipe abort the process, OpenBLAS waits for ever, or sends itself SIGINT where no
thread can be started. A limit that is too low from the outset is therefore told before anything is
loaded.
"""

from __future__ import annotations

import os
import resource
import threading

from gfvc.errors import GfvcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Address space in MB: what the demo clip needs by `ulimit -v`, and a tenth more. Larger pictures
# take more; a command that runs out of memory later says so.
LEAST_MEGABYTES = {
    "encode": 1800,
    "decode": 1600,
    "edit": 1600,
    "export": 1200,
    "bench": 2000,
    "report": 800,
    "demo": 2000,
    "train": 3000,
    "verify": 700,
    "batch": 350,
    "extract": 350,
    "inject": 350,
    "inspect": 350,
    "models": 350,
    "remove": 350,
    "transcode": 350,
}

# Nearly this share of the address space is data (`ulimit -d`) in some commands, stacks of threads
# included. The rest is code, and files that are only read.
DATA_SHARE = 0.5

# With --messages-only, which loads no network.
MESSAGES_ONLY_MEGABYTES = 700

# Where a file cannot be opened, libraries say that a program or a module is not there.
LEAST_FILES = 64


class MemoryLimitError(GfvcError):
    """A limit of the system is too low for what was asked."""


def require_resources(command: str, options: Sequence[str] = ()) -> None:
    """Raise an error of the limits where a command cannot have what it needs from the outset.

    `options` are what the command was given.
    """
    require_files(LEAST_FILES)
    if command in LEAST_MEGABYTES:
        megabytes = LEAST_MEGABYTES[command]
        if "--messages-only" in options:
            megabytes = MESSAGES_ONLY_MEGABYTES
        require_memory(megabytes, command)
        # What libraries start at the least: a thread for each core.
        require_threads(os.cpu_count() or 1)


def require_memory(megabytes: int, command: str) -> None:
    """Raise `MemoryLimitError` where a command needs more address space than it may have.

    That is limited as such (``ulimit -v``), or its part for data (``ulimit -d``).
    """
    for kind, option, needed in (
        (resource.RLIMIT_AS, "-v", megabytes),
        (resource.RLIMIT_DATA, "-d", round(DATA_SHARE * megabytes)),
    ):
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY and limit < needed * 1_000_000:
            raise MemoryLimitError(
                f"memory is limited to {limit / 1e6:.0f} MB (ulimit {option}), and {command} needs "
                f"{needed} MB at the least"
            )


def require_files(count: int) -> None:
    """Raise `MemoryLimitError` where fewer files may be open at a time (``ulimit -n``)."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY and limit < count:
        raise MemoryLimitError(
            f"open files are limited to {limit} (ulimit -n), and {count} are needed at the least"
        )


def require_threads(count: int) -> None:
    """Let so many threads run at a time, and end; raise `RuntimeError` where they cannot."""
    may_end = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(count):
            thread = threading.Thread(target=may_end.wait)
            thread.start()
            started.append(thread)
    finally:
        may_end.set()
        for thread in started:
            thread.join()
