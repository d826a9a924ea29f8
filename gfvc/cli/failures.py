"""What is said of a command that failed, and its exit status."""

from __future__ import annotations

import errno
import os
import sys

from gfvc.cli.process import leave_without_libraries
from gfvc.cli.standard_streams import ReaderGone
from gfvc.ending import EXIT_OF_SIGNAL, ended_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_FAILED = 1
_SIGINT = 2

# Errors whose text is meant for the user; only packages in use can have raised theirs.
_LIBRARY_ERRORS = (
    ("gfvc.errors", "GfvcError"),
    ("sei.errors", "SeiError"),
    ("base_codec_adapters.errors", "BaseCodecError"),
    ("models.errors", "ModelError"),
)

# How libraries that do not raise MemoryError say that there is none left: C++, the dynamic linker,
# PyTorch, OpenCV, errno's text.
_NO_MEMORY = (
    "bad_alloc",
    "failed to map segment",
    "cannot allocate memory in static TLS",
    "can't allocate memory",
    "Insufficient memory",
    "Cannot allocate memory",
)

# The same of threads and processes: errno's text, in the words of programs too, Python's threads.
_NO_THREADS = ("Resource temporarily unavailable", "can't start new thread")


def failure_of(error: BaseException, name: str) -> tuple[int, str] | None:
    """Exit status, and a line for stderr or "", for an error that ended the command `name`.

    None for an error that nobody foresaw, and for the end that `argparse` or a signal asked for.
    """
    number = ended_by()
    if isinstance(error, KeyboardInterrupt) or number == _SIGINT:
        return EXIT_OF_SIGNAL + _SIGINT, "gfvc: interrupted"
    if number is not None:
        # Whatever came of it: an import that a signal breaks off can end in any error.
        return EXIT_OF_SIGNAL + number, ""
    if isinstance(error, ReaderGone):
        return 0, ""
    text = _text(error)
    return None if text is None else (EXIT_FAILED, f"{name}: {text}")


def _text(error: BaseException) -> str | None:
    # The first of them says what ran out; those that came of it blame the file at hand.
    if lacking := list(filter(None, map(_lack, _chain(error)))):
        leave_without_libraries()
        return lacking[-1]
    known = tuple(
        getattr(sys.modules[module], name)
        for module, name in _LIBRARY_ERRORS
        if module in sys.modules
    )
    if isinstance(error, known):
        return _first_line(error)
    if isinstance(error, ImportError) and ".so" in str(error):
        # OpenCV loads libraries of the system that a bare one lacks.
        return (
            f"a system library is missing ({_first_line(error)}); on Debian: apt-get install "
            "libgl1 libglib2.0-0"
        )
    if isinstance(error, OSError) and error.strerror:
        if error.errno == errno.ENOENT and error.filename is None and not _has_current_folder():
            return "the current folder is not there any more; change to another one"
        where = f"{error.filename}: " if error.filename else ""
        return _on_one_line(f"{where}{error.strerror}")
    return None


def _has_current_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib takes its time
    except OSError:
        return False
    return True


def _first_line(error: BaseException) -> str:
    """The text of an error in one line; what a program printed follows in further ones.

    A line break in a name is escaped where the text is one line by its class's promise.
    """
    summary = getattr(error, "summary", None)  # of a program's error
    return _on_one_line(summary if isinstance(summary, str) else str(error).strip())


def _on_one_line(text: str) -> str:
    from sei.escaping import cut, printable  # with it comes all of sei

    return printable(cut(text))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came of."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _lack(error: BaseException) -> str | None:
    """What to say of an error when memory or threads have run out; None of another."""
    text = _first_line(error) or type(error).__name__
    number = error.errno if isinstance(error, OSError) else None
    if (
        isinstance(error, MemoryError)
        or number == errno.ENOMEM
        or any(sign in text for sign in _NO_MEMORY)
    ):
        return (
            f"not enough memory ({text}); allow it more (ulimit -v, ulimit -d), let it do less at "
            "a time, or take smaller pictures"
        )
    if number == errno.EAGAIN or any(sign in text for sign in _NO_THREADS):
        return (
            f"no more threads or processes can be started ({text}); allow more (ulimit -u, the "
            "limit of a container) or more memory (ulimit -v, ulimit -d), or let fewer programs run"
        )
    return None
