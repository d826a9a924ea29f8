"""Talking to people on stderr: notes, and progress where there is a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

Progress = Callable[[int, "int | None"], None]


def note(text: str) -> None:
    """Print a line for people."""
    sys.stderr.write(f"gfvc: {text}\n")


@contextlib.contextmanager
def progress_bar(label: str, unit: str = "pictures") -> Iterator[Progress]:
    """A callable (done, total or None) that moves a bar; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
