"""A CSV table that grows by a row now and then, and survives a resume."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


class Table:
    """Rows of numbers with a first column `step`; rows from a step on are dropped on a resume."""

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        self._path = path
        self._columns = ("step", *columns)
        rows: list[dict[str, str]] = []
        if step and path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append a row; columns without a value stay empty."""
        cells = {name: f"{value:.6g}" for name, value in values.items()}
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow({"step": step, **cells})
