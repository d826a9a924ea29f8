"""Tables for spreadsheets (CSV), in which no text of others becomes a formula.

Spreadsheets compute a cell that begins with one of a few signs, also one that was text in the file
(OWASP, "CSV Injection"). Names of files and clips and reasons of failures are text of others.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from sei import printable

# Where a cell begins, also for a spreadsheet that takes semicolons for separators; signs that make
# a formula of it, in both widths. Tabs and line breaks, which do so too, are no printable text.
_FORMULA = re.compile(r"(^|;)(?=[=+\-@＝＋－＠])")  # noqa: RUF001 - they are meant


def write_table(file: IO[str], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with a head; what a row lacks is an empty cell, what has no column is left out.

    Numbers stay as they are. In text, what is not to be printed comes out as an escape, and an
    apostrophe stands before what would be a formula.
    """
    writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row.get(name)) for name in columns})


def _cell(value: Any) -> Any:
    return _FORMULA.sub(r"\1'", printable(value)) if isinstance(value, str) else value
