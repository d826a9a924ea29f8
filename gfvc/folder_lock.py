"""A folder that runs add to, held so that no two of them do the same work in it.

The kernel frees the lock however a process ends. Runs on different machines see each other where
the file system locks for all of them (NFS version 4, Lustre with ``flock``, CephFS).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gfvc.errors import OutputError


@contextlib.contextmanager
def held(lock: Path, folder: Path, kind: str, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock file of a folder for the block; the file says who does, unless it is shared.

    Raises `OutputError` where another run of this ``kind`` holds it, and `OSError` where it cannot
    be made.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not _locked(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX):
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace")
            raise OutputError(
                f"{folder}: another {kind} works in it ({holder or 'of a part'}); wait for its "
                "end, or choose another folder"
            )
        if not shared:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} of {os.uname().nodename}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    """Take a lock; False where another holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
