"""A file argument that may be "-", standard input, for commands that read their input twice."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gfvc.errors import GfvcError, InputError

STANDARD_INPUT = Path("-")
_NAME = "standard input"


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
    try:
        shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
        copy.flush()
    except OSError as error:
        raise InputError(
            f"{_NAME}: cannot be kept in the folder {tempfile.gettempdir()} while it is coded "
            f"({error.strerror}); name a file, or another folder with TMPDIR"
        ) from None
    return copy.fileno()
