"""A CSV table that grows by a row now and then, and survives a resume."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.training.errors import TrainingError


class Table:
    """Rows of numbers with a first column `step`; rows after a step are dropped on a resume.

    A last row that was cut off is dropped too. Raises `TrainingError` when the file cannot be
    read or written.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        self._path = path
        self._columns = ("step", *columns)
        try:
            rows = _kept_rows(path, step) if step and path.exists() else []
            temporary = path.with_suffix(".tmp")
            with temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
            temporary.replace(path)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise TrainingError(f"{path}: cannot be read and written ({error})") from None

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append a row; columns without a value stay empty."""
        cells = {name: f"{value:.6g}" for name, value in values.items()}
        try:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns).writerow({"step": step, **cells})
        except OSError as error:
            raise TrainingError(f"{self._path}: cannot be written ({error})") from None


def _kept_rows(path: Path, step: int) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            row
            for row in csv.DictReader(file)
            # A row that was cut off lacks its last cells.
            if None not in row.values()
            and (number := row.get("step", "")).isdigit()
            and int(number) <= step
        ]
