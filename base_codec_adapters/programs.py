"""Where a program is, and which program it is."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from base_codec_adapters.errors import ProgramNotFoundError
from base_codec_adapters.runner import run

PROBE_TIMEOUT = 20.0
"""Seconds a program may take to state its version."""

PROBE_MESSAGE_BYTES = 1 << 20
"""How much it may say for that: the version comes first, a long help text may follow."""


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


@lru_cache(maxsize=32)
def read_version(executable: Path, argument: str, banner: str) -> str:
    """Ask a program for its version; once a process.

    ``banner`` is a regular expression that is found in what the right program prints when called
    with ``argument``, and whose first group is the version. The exit status says nothing here:
    the reference encoders end with 1 after their help text.

    Raises:
        ProgramNotFoundError: it is another program.
        ProgramError: it does not run.
    """
    outcome = run(
        [str(executable), argument], timeout=PROBE_TIMEOUT, message_bytes=PROBE_MESSAGE_BYTES
    )
    match = re.search(banner, outcome.messages)
    if match is None:
        problem = f"{executable}: another program than expected, or a broken one"
        raise outcome.error(ProgramNotFoundError, problem)
    return match[1]
