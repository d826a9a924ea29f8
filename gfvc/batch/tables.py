"""Tables of what came of a batch: one row a job, and all of them in a few numbers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from gfvc.batch.folder import BatchFolder
from gfvc.batch.records import FORMAT, Record
from gfvc.csv_tables import write_table
from gfvc.errors import OutputError, system_errors
from gfvc.json_checking import LARGEST
from gfvc.output import check_writable, replaced_when_complete

_COLUMNS = (
    *("input", "output", "status", "reason", "pictures", "video_seconds", "kbps"),
    *("seconds", "peak_megabytes", "input_sha256", "output_sha256"),
)

# How the tables that a batch makes begin.
_BEGINS = {".csv": b"input,output,status,", ".jsonl": f'{{"format": "{FORMAT}"'.encode()}


@dataclass(slots=True)
class Totals:
    """A batch in numbers.

    `done` jobs were done now and `kept` before; `failures` are inputs with reasons. Of those
    that tell: `video_seconds` of pictures, and `bits` of the `bit_seconds` for which bits are told.
    """

    done: int = 0
    kept: int = 0
    video_seconds: float = 0.0
    bits: float = 0.0
    bit_seconds: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def clips(self) -> int:
        """All jobs."""
        return self.done + self.kept + len(self.failures)

    @property
    def kbps(self) -> float | None:
        """Mean rate over the time of all clips, kbit/s; None where nothing tells of bits."""
        return self.bits / self.bit_seconds / 1000 if self.bit_seconds else None

    def add(self, record: Record, *, kept: bool) -> None:
        """Count a job."""
        if record["reason"] is not None:
            self.failures.append((record["input"], record["reason"]))
            return
        self.done += not kept
        self.kept += kept
        seconds, kbps = _seconds(record), _number(record, "kbps")
        self.video_seconds += seconds or 0.0
        if seconds and kbps is not None:
            self.bits += 1000 * kbps * seconds
            self.bit_seconds += seconds

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc batch --json` prints."""
        return {
            "clips": self.clips,
            "done": self.done,
            "kept": self.kept,
            "failed": len(self.failures),
            "video_minutes": self.video_seconds / 60,
            "kbps": self.kbps,
            "failures": [{"input": name, "reason": reason} for name, reason in self.failures],
        }


def check_tables(folder: BatchFolder, *, force: bool) -> None:
    """Raise `OutputError` where the tables could not be written, or would replace others' files.

    With `force` such files are replaced.
    """
    for suffix, begins in _BEGINS.items():
        path = folder.table(suffix)
        with system_errors(OutputError, path, "cannot be written"):
            if path.exists() and not path.is_file():
                raise OutputError(f"{path}: is no file, where the table of results goes; remove it")
        check_writable(path, force=True)
        head = b""
        with (
            system_errors(OutputError, path, "cannot be read"),
            contextlib.suppress(FileNotFoundError),
            path.open("rb") as file,
        ):
            head = file.read(len(begins))
        if head and head != begins and not force:
            raise OutputError(
                f"{path}: exists already and is no table of a batch; remove it, or use --force"
            )


def write_tables(folder: BatchFolder, records: Iterable[Record]) -> None:
    """Write results.csv and results.jsonl, in place of earlier ones.

    Raises `OutputError` where they cannot be written.
    """
    with _replaced(folder, ".csv") as table, _replaced(folder, ".jsonl") as lines:
        write_table(table, _COLUMNS, _rows(records, lines))


@contextlib.contextmanager
def _replaced(folder: BatchFolder, suffix: str) -> Iterator[IO[str]]:
    path = folder.table(suffix)
    with (
        system_errors(OutputError, path, "cannot be written"),
        replaced_when_complete(path, force=True) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


def _rows(records: Iterable[Record], lines: IO[str]) -> Iterator[dict[str, Any]]:
    """Rows of the table; records are written as lines by the way, for there may be many."""
    for record in records:
        lines.write(json.dumps(record) + "\n")
        yield _row(record)


def _row(record: Record) -> dict[str, Any]:
    seconds, kbps = _seconds(record), _number(record, "kbps")
    return {
        **record,
        "pictures": _result(record).get("frames"),
        "video_seconds": None if seconds is None else round(seconds, 3),
        "kbps": None if kbps is None else round(kbps, 3),
    }


def _seconds(record: Record) -> float | None:
    """Duration of the pictures, where the result tells."""
    frames, rate = (_number(record, key) for key in ("frames", "fps"))
    return frames / rate if frames is not None and rate else None


def _number(record: Record, key: str) -> float | None:
    """A number of a result, if that is one; anybody can have changed a record."""
    value = _result(record).get(key)
    if isinstance(value, (int, float)) and 0 <= value <= LARGEST:
        return float(value)
    return None


def _result(record: Record) -> Mapping[str, Any]:
    result = record["result"]
    return result if isinstance(result, dict) else {}
