"""Temporary folders that a killed run leaves behind, and the next run removes.

A run holds a lock (``flock``) on each of its folders. The kernel frees it however the run ends, so
a folder whose lock is free belongs to nobody. It is removed when the next folder of the same
prefix is made beside it.

Locks of some network file systems are known to one machine only. The name of a folder therefore
says which machine made it, and those of other machines are left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# What mkdtemp adds to a prefix.
_RANDOM = r"[a-z0-9_]{8}"

# A new folder can be taken for a stale one before it is locked; then another is made.
_ATTEMPTS = 100

# Folder and prefix pairs in which this process has looked for stale folders.
_tidied: set[tuple[str, str]] = set()


@contextlib.contextmanager
def scratch_folder(prefix: str, parent: Path) -> Iterator[Path]:
    """A new, empty folder in ``parent``, readable by this user only, that goes with the block.

    The first time a process asks for a prefix in a parent, folders of that prefix are removed there
    that this user's runs left behind because they were killed. Those of runs that still live, of
    other users and of other machines are not touched.

    Raises:
        OSError: the folder cannot be made. Trouble with stale or finished folders is passed over.
    """
    parent = parent.absolute()
    if (str(parent), prefix) not in _tidied:
        _tidied.add((str(parent), prefix))
        remove_stale_folders(prefix, parent)
    folder, lock = _locked_folder(prefix, parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_stale_folders(prefix: str, parent: Path) -> int:
    """Remove what killed runs of this user left in ``parent``; return how many folders went."""
    pattern = re.compile(rf"{re.escape(prefix)}([0-9a-f]{{8}})-([0-9a-f]{{8}})-{_RANDOM}")
    removed = 0
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            name = pattern.fullmatch(entry.name)
            host, boot = _machine()
            # A container has a new name each time, but shares the kernel that keeps the locks;
            # a machine that was started again has its name, and a new kernel.
            if name and (name[1] == host or name[2] == boot):
                removed += _remove_if_stale(parent / entry.name)
    return removed


def _locked_folder(prefix: str, parent: Path) -> tuple[Path, int]:
    """A new folder, and the file descriptor whose lock says that it is in use."""
    for _ in range(_ATTEMPTS):
        host, boot = _machine()
        folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{host}-{boot}-", dir=parent))
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        if _is_ours(lock) and _is_at(lock, folder):
            return folder, lock
        os.close(lock)
    raise FileExistsError(f"{parent}: a new folder was removed by someone else each time")


def _is_ours(lock: int) -> bool:
    """Lock a new folder; False where somebody is about to remove it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks gives none to those who would remove the folder either.
        return True
    return True


def _remove_if_stale(folder: Path) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_at(lock, folder):
            return False
        shutil.rmtree(folder)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(lock)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether a path still names the folder that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))  # noqa: PTH116
    except FileNotFoundError:
        return False


@lru_cache(maxsize=1)
def _machine() -> tuple[str, str]:
    """The machine's name and its running kernel, as 8 hexadecimal digits each."""
    name = os.fsencode(os.uname().nodename)
    try:
        boot = _BOOT_ID.read_bytes()
    except OSError:
        boot = name
    return f"{zlib.crc32(name):08x}", f"{zlib.crc32(boot):08x}"
