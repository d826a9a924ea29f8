"""Telling people on stderr how a training goes: lines, and below them a bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def training_console(
    shown: Callable[[str], str] = str,
) -> Iterator[tuple[Callable[[str], None], Callable[[float, str], None]]]:
    """Yield `report` and `progress` for `models.training.run.train`.

    Without a terminal there are lines only. Texts go through `shown` first.
    """
    if not sys.stderr.isatty():
        yield lambda text: _line(shown(text)), lambda share, doing: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=1.0)
        stage = ""

        def progress(share: float, doing: str) -> None:
            nonlocal stage
            # "step 7" and "step 8" are the same stage; another one has its own clock.
            if doing.partition(" ")[0] != stage:
                stage = doing.partition(" ")[0]
                bar.reset(task)
            bar.update(task, completed=min(share, 1.0), description=doing)

        yield lambda text: console.print(shown(text), markup=False, highlight=False), progress


def _line(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
