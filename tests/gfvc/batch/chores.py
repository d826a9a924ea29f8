"""Functions that workers run in tests; they are found by name, so they stand in a module."""

from __future__ import annotations

import os
import time
from pathlib import Path

from gfvc.batch.engine import tell


def double(number: int) -> int:
    return 2 * number


def told(number: int) -> None:
    for step in range(number):
        tell([number, step])


def cores() -> list[int]:
    time.sleep(0.3)  # so that each worker gets one
    return sorted(os.sched_getaffinity(0))


def fail() -> None:
    raise ValueError("no such thing")


def crash(mark: Path) -> None:
    """Abort, as native code does; `mark` gets a byte."""
    with mark.open("ab") as file:
        file.write(b"x")
    os.abort()


def crash_once(mark: Path) -> str:
    if mark.exists():
        return "done"
    crash(mark)
    raise AssertionError


def sleep_long(started: Path, tidied: Path) -> None:
    """Sleep for minutes; on the way out, make a file."""
    try:
        started.write_text(str(os.getpid()))
        time.sleep(300)
    finally:
        tidied.touch()
