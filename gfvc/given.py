"""What callers give: names of files and folders, options, and functions that are told things.

It is checked before work starts. A path forgets a slash at its end, by which people say that they
mean a folder, so names are looked at while they are text.
"""

from __future__ import annotations

import os
from pathlib import Path

from gfvc.errors import GfvcError, InputError, OutputError

TYPE_CHECKING = False  # typing is not imported for it: parsers of all commands import this
if TYPE_CHECKING:
    from collections.abc import Callable

    from gfvc.output import StrPath

_SEPARATORS = ("/", "/.")


def no_file(name: str) -> str | None:
    """Why a name is none of a file, for people; None where it is one."""
    return _no_name(name) or (
        f"{name}: ends in a slash, as a folder's name; name a file" if _means_folder(name) else None
    )


def no_folder(name: str) -> str | None:
    """Why a name is none of a folder, for people; None where it is one."""
    return _no_name(name)


def neither(name: str) -> str | None:
    """Why a name is none of a file, nor of a folder, which has no suffix unless it is there."""
    problem = _no_name(name)
    if problem is None and _means_folder(name) and Path(name).suffix and not Path(name).is_dir():
        return f"{name}: ends in a slash, as a folder's name, and has the suffix of a file"
    return problem


def not_a_file(path: Path) -> str:
    """What a path is that names no regular file, for people."""
    if path.is_dir():
        return "is a folder, not a file"
    if path.is_fifo():
        return "is a pipe, not a file"
    return "is not a file but a device or a socket" if path.exists() else "no such file"


def input_file(given: StrPath) -> Path:
    """A file to read; raises `InputError` for a name that no file has, `TypeError` for no name."""
    return _checked(given, no_file, InputError)


def output_file(given: StrPath) -> Path:
    """A file to write; raises `OutputError`, and `TypeError`, as `input_file` does."""
    return _checked(given, no_file, OutputError)


def output_file_or_folder(given: StrPath) -> Path:
    """A file or folder to write; raises as `output_file`."""
    return _checked(given, neither, OutputError)


def check_kinds(**given: tuple[object, type]) -> None:
    """Raise `TypeError` for a value, by its name, that is not of the type beside it."""
    from gfvc.options.values import truth

    for name, (value, kind) in given.items():
        if not (isinstance(value, kind) or (kind is bool and truth(value) is not None)):
            room = kind.__module__.partition(".")[0]
            shown = kind.__name__ if room == "gfvc" else f"{room}.{kind.__name__}"
            wanted = "True or False" if kind is bool else f"of type {shown}"
            raise TypeError(f"{name} is to be {wanted}, not {_kind_of(value)}")


def check_kinds_but_none(**given: tuple[object, type]) -> None:
    """Raise `TypeError` as `check_kinds`, but not for None."""
    check_kinds(**{name: pair for name, pair in given.items() if pair[0] is not None})


def check_functions(**given: object) -> None:
    """Raise `TypeError` for a value, by its name, that cannot be called."""
    for name, value in given.items():
        if not callable(value):
            raise TypeError(f"{name} is to be a function that is told, not {_kind_of(value)}")


def check_call(
    options: tuple[object, type], force: object, registry: object, **functions: object
) -> None:
    """Check what all of our public functions take, before work starts.

    Raises `TypeError` for options that are not of the type beside them, and what else is of another
    type; `GfvcError` where libraries would wait for ever (`models.forking`).
    """
    from models import Registry
    from models.forking import FORKED, lacks_threads

    check_kinds(options=options, force=(force, bool))
    if lacks_threads():
        raise GfvcError(FORKED)
    check_kinds_but_none(registry=(registry, Registry))
    check_functions(**functions)


def _kind_of(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _checked(
    given: StrPath, problem_of: Callable[[str], str | None], kind: type[GfvcError]
) -> Path:
    name = os.fspath(given) if isinstance(given, (str, os.PathLike)) else given
    if not isinstance(name, str):
        raise TypeError(f"a file is named by text or a path; this is {_kind_of(name)}")
    problem = problem_of(name)
    if problem is not None:
        raise kind(problem)
    return Path(name)


def _means_folder(name: str) -> bool:
    return name.endswith(_SEPARATORS)


def _no_name(name: str) -> str | None:
    if not name:
        return "an empty name (of a variable that is not set?)"
    try:
        if b"\0" not in os.fsencode(name):
            return None
    except UnicodeEncodeError:
        pass
    shown = name.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
    return f"{shown}: has a character that no name of a file has"
