"""How wide tables for people may be: as wide as a terminal, elsewhere as wide as their texts are.

rich takes `COLUMNS` for the width of pipes and files too, cuts texts to it, numbers as well, and
prints nothing at all in a width of 0, which some set who have no terminal.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

_USUAL_WIDTH = 80
_ANY_WIDTH = 1 << 20


def take_usual_width(console: Console) -> Console:
    """Give a console a width where it is told to have none; the same console."""
    if not console.width:
        console.width = _USUAL_WIDTH
    return console


def print_whole(console: Console, table: Table) -> None:
    """Print a table, of which nothing is cut unless that is for a terminal.

    The console keeps the width that this took, for what is printed below.
    """
    take_usual_width(console)
    if not console.file.isatty():
        needed = console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum
        console.width = max(console.width, needed)
    console.print(table)
