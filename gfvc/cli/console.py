"""Talking to people on stderr: notes, and progress where there is a terminal. To programs: JSON."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gfvc.telling import Progress, Stage, unheard
from sei.escaping import cut, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn


def note(text: str) -> None:
    """Print a line for people; what is not to be printed, in a name say, is escaped."""
    sys.stderr.write(f"gfvc: {printable(cut(text))}\n")


def answer(result: Any) -> None:
    """Print a result as JSON on standard output, for programs."""
    sys.stdout.write(json.dumps(result) + "\n")


def print_table(
    title: str | None,
    columns: Iterable[str],
    rows: Iterable[Iterable[object]],
    *,
    texts: int = 1,
    width: int | None = None,
) -> Console:
    """A table on standard output; its first `texts` columns are texts, the others numbers.

    Returns the console, for lines below the table. Its width is the terminal's by default; in
    a pipe or a file a table takes what its texts need.
    """
    from rich.console import Console
    from rich.table import Table

    from sei.table_width import print_whole

    table = Table(title=title)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < texts else "right")
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(width=width)
    print_whole(console, table)
    return console


@contextlib.contextmanager
def progress_bar(label: str, unit: str = "pictures") -> Iterator[tuple[Progress, Stage]]:
    """A bar on stderr: what moves it, and what says in place of its label what is being done.

    Both are silent where that is no terminal.
    """
    if not sys.stderr.isatty():
        yield unheard, unheard
        return
    from rich.progress import MofNCompleteColumn, TextColumn, TimeElapsedColumn

    with _labelled_bar(MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn()) as bar:
        task = bar.add_task(printable(label), total=None)
        yield (
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
    with progress_bar(label, unit) as (move, describe):

        def show(text: str, done: int, total: int) -> None:
            move(done, total)
            describe(text)

        yield show


@contextlib.contextmanager
def lines_and_bar() -> Iterator[tuple[Callable[[str], None], Callable[[float, str], None]]]:
    """Lines for people, and below them on a terminal a bar with the time that is left.

    The bar is told the share 0..1 that is done, and what is being done; what begins with another
    word has a clock of its own.
    """
    if not sys.stderr.isatty():
        yield _line, lambda share, doing: None
        return
    from rich.progress import TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
    with _labelled_bar(*columns) as bar:
        task = bar.add_task("starting", total=1.0)
        stage = ""

        def progress(share: float, doing: str) -> None:
            nonlocal stage
            # "step 7" and "step 8" are the same stage.
            if doing.partition(" ")[0] != stage:
                stage = doing.partition(" ")[0]
                bar.reset(task)
            bar.update(task, completed=min(share, 1.0), description=doing)

        yield (
            lambda text: bar.console.print(printable(text), markup=False, highlight=False),
            progress,
        )


def _labelled_bar(*columns: ProgressColumn) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from sei.table_width import take_usual_width

    console = take_usual_width(Console(stderr=True))
    label = TextColumn("{task.description}", markup=False)
    return Progress(label, BarColumn(), *columns, console=console, transient=True)


def _line(text: str) -> None:
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()
