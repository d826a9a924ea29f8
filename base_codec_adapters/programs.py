"""Where a program is: told by the caller, told by an environment variable, or on the PATH."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from base_codec_adapters.errors import ProgramNotFoundError


def told_program(executable: str | Path | None, variable: str) -> Path | None:
    """The program that the caller or else the environment variable names, None without either.

    Raises:
        ProgramNotFoundError: one is named, but is not an executable file.
    """
    source = "the path given" if executable is not None else variable
    told = str(executable) if executable is not None else os.environ.get(variable, "")
    if not told:
        return None
    found = shutil.which(told)
    if found is None:
        raise ProgramNotFoundError(f"{told}: not an executable file (from {source})")
    return Path(found)


def find_program(executable: str | Path | None, variable: str, names: Sequence[str]) -> Path:
    """Find a program by the caller's path, the environment variable, or its names on the PATH.

    Raises:
        ProgramNotFoundError: it is nowhere.
    """
    told = told_program(executable, variable)
    if told is not None:
        return told
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    raise ProgramNotFoundError(
        f"{' or '.join(names)} is not on the PATH: install it, or name it in {variable}"
    )
