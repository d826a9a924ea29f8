"""The folder in which programs find their data, and leave their output."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from base_codec_adapters.errors import (
    OutputInvalidError,
    ProgramFailedError,
    TemporaryFolderError,
)
from base_codec_adapters.scratch import scratch_folder

_FULL = (errno.ENOSPC, errno.EDQUOT)

_SAID_TO_BE_FULL = re.compile(r"no space left|disk full|quota exceeded", re.IGNORECASE)

# A program that failed with less than this free has most likely failed for the lack of it.
_LITTLE = 1 << 20

# `tempfile` writes no more than this to see whether a folder can be used.
_PROBE_BYTES = 64


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder in ``TMPDIR`` that goes with the block, see `scratch_folder`.

    Raises:
        TemporaryFolderError: it cannot be made or written, or a program failed in the block because
            there was no room in it.
    """
    with naming_tmpdir():
        parent = Path(tempfile.gettempdir())
        holder = scratch_folder(prefix, parent)
        folder = holder.__enter__()
    try:
        with naming_tmpdir(folder):
            yield folder
    finally:
        holder.__exit__(None, None, None)


@contextmanager
def naming_tmpdir(folder: Path | None = None) -> Iterator[None]:
    """Turn errors of the block that come from the folder for temporary files into one that says so.

    Without ``folder`` the block does nothing else than to write there. With it, errors of
    other files are let by.

    Raises:
        TemporaryFolderError: there was such an error.
    """
    try:
        yield
    except OSError as error:
        if folder is None or _concerns(error, folder):
            if _is_of_limit(error):
                raise _too_large(folder) from error
            reason = error.strerror or str(error)
            raise TemporaryFolderError(_parent(folder), reason) from error
        raise
    except (ProgramFailedError, OutputInvalidError) as error:
        if folder is not None and _is_full(folder, error.messages):
            reason = f"is full ({error.summary})"
            raise TemporaryFolderError(_parent(folder), reason) from error
        if folder is not None and error.exit_status == -signal.SIGXFSZ and _at_limit(folder):
            raise _too_large(folder) from error
        raise


def write_all(file: IO[bytes], data: bytes | memoryview) -> None:
    """Write all of some bytes into a file that may be unbuffered.

    Of a file system that is nearly full, such a file takes a part without an error; the rest then
    meets it.
    """
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[file.write(rest) :]


def _parent(folder: Path | None) -> object:
    if folder is not None:
        return folder.parent
    return tempfile.tempdir or os.environ.get("TMPDIR") or "/tmp"


def _concerns(error: OSError, folder: Path) -> bool:
    return error.errno in _FULL or str(error.filename or "").startswith(str(folder))


def _is_full(folder: Path, messages: str) -> bool:
    if _SAID_TO_BE_FULL.search(messages):
        return True
    try:
        system = os.statvfs(folder)
    except OSError:
        return False
    return system.f_bavail * system.f_frsize < _LITTLE


def _user_limit() -> int | None:
    """Bytes that the user lets files have at most."""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return None if limit == resource.RLIM_INFINITY else limit


def _is_of_limit(error: OSError) -> bool:
    """Whether files may not grow as large as that asked for; `tempfile` looks with a few bytes."""
    limit = _user_limit()
    if limit is None:
        return False
    return error.errno == errno.EFBIG or (limit < _PROBE_BYTES and error.errno == errno.ENOENT)


def _too_large(folder: Path | None) -> TemporaryFolderError:
    """Room or another folder would not help."""
    reason = "a file there would be larger than ulimit -f allows"
    return TemporaryFolderError(_parent(folder), reason, "allow larger ones")


def _at_limit(folder: Path) -> bool:
    """Whether a file in a folder is as large as the user, not this package, lets files become."""
    limit = _user_limit()
    if limit is None:
        return False
    return any(path.stat().st_size >= limit for path in folder.rglob("*") if path.is_file())
