"""Talking to people on stderr: notes, and progress where there is a terminal. To programs: JSON."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from sei.escaping import cut, printable


class ProgressBar:
    """Called with the number of things done, and the total or None, it moves a bar."""

    def __init__(
        self,
        move: Callable[[int, int | None], None] = lambda done, total: None,
        label: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._move = move
        self._label = label

    def __call__(self, done: int, total: int | None) -> None:
        """Show how much is done."""
        self._move(done, total)

    def describe(self, text: str) -> None:
        """Say what is being done, in place of the bar's label."""
        self._label(text)


def note(text: str) -> None:
    """Print a line for people; what is not to be printed, in a name say, is escaped."""
    sys.stderr.write(f"gfvc: {printable(cut(text))}\n")


def answer(result: Any) -> None:
    """Print a result as JSON on standard output, for programs."""
    sys.stdout.write(json.dumps(result) + "\n")


@contextlib.contextmanager
def progress_bar(label: str, unit: str = "pictures") -> Iterator[ProgressBar]:
    """A bar on stderr; silent where that is no terminal."""
    if not sys.stderr.isatty():
        yield ProgressBar()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(printable(label), total=None)
        yield ProgressBar(
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda text: bar.update(task, description=printable(text)),
        )


@contextlib.contextmanager
def step_progress(label: str, unit: str) -> Iterator[Callable[[str, int, int], None]]:
    """For a long run of steps: a bar on a terminal, elsewhere a line for each step, for a log.

    It is told what came of a step, how many are done, and of how many.
    """
    if not sys.stderr.isatty():
        yield lambda text, done, total: note(f"{done}/{total} {text}")
        return
    with progress_bar(label, unit) as bar:

        def show(text: str, done: int, total: int) -> None:
            bar(done, total)
            bar.describe(text)

        yield show
