"""A file argument that may be "-", standard input, for commands that read their input twice."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from gfvc.errors import GfvcError, InputError
from gfvc.stream.nal_source import STANDARD_INPUT

_NAME = "standard input"
_BLOCK = 1 << 20


@contextlib.contextmanager
def as_file(source: Path) -> Iterator[tuple[Path, Callable[[str], str]]]:
    """A path to read: `source` itself, or one that stands for standard input if that is "-".

    With it comes what makes notes about that path call it standard input; errors of the block do.
    A pipe is copied into a file without a name in the temporary folder first, which the system
    frees however the run ends. Raises `InputError`.
    """
    if source != STANDARD_INPUT:
        yield source, str
        return
    with contextlib.ExitStack() as stack:
        descriptor = _regular_file(stack)
        path = Path(f"/proc/self/fd/{descriptor}")

        def named(text: str) -> str:
            return text.replace(str(path), _NAME)

        try:
            yield path, named
        except GfvcError as error:
            raise type(error)(named(str(error))) from None


def _regular_file(stack: contextlib.ExitStack) -> int:
    """A descriptor of a regular file with all of standard input."""
    try:
        descriptor = sys.stdin.fileno()
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISREG(kind) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0:
            return descriptor
        if os.isatty(descriptor):
            raise InputError(f"{_NAME}: is a terminal; send a file or the output of a program")
        copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{_NAME}: cannot be read ({error})") from None
    while block := _read():
        _keep(block, copy)
    return copy.fileno()


def _read() -> bytes:
    """Some more of standard input."""
    try:
        return sys.stdin.buffer.read(_BLOCK)
    except OSError as error:
        problem = (
            "is closed" if error.errno == errno.EBADF else f"cannot be read ({error.strerror})"
        )
        raise InputError(f"{_NAME}: {problem}") from None


def _keep(block: bytes, copy: IO[bytes]) -> None:
    try:
        copy.write(block)
        copy.flush()
    except OSError as error:
        raise InputError(
            f"{_NAME}: cannot be kept in the folder {tempfile.gettempdir()} while it is coded "
            f"({error.strerror}); name a file, or another folder with TMPDIR"
        ) from None
