"""What came of a job, as JSON beside its output: ``talk.266.json`` beside ``talk.266``.

A record is written after its output has its name. So a job is complete when its record says that it
is done, of this input, with these options and versions, and the output is the one it speaks of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict, cast

from gfvc.errors import InputError, OutputError, system_errors
from gfvc.json_checking import CheckedObject, read_json
from gfvc.output import replace_text

FORMAT = "gfvc-batch-result"
VERSION = 1
_MOST_BYTES = 1 << 26


class Record(TypedDict):
    """What came of a job.

    `identity` is the hash of all that it depends on (`identity_of` in `gfvc.batch.work`); None
    where that could not be found out. `status` is "done" or "failed", `reason` says why it failed,
    in one line. `seconds` are wall time; `peak_megabytes` the most memory that the process and the
    largest of the programs that it ran have had so far. `result` is what the command prints with
    ``--json``, where that is one object or list.
    """

    format: str
    version: int
    identity: str | None
    verb: str
    input: str
    input_sha256: str | None
    options: list[str]
    versions: dict[str, str]
    output: str
    output_sha256: str | None
    status: str
    reason: str | None
    notes: list[str]
    seconds: float
    peak_megabytes: float
    result: Any


def record_path(output: Path) -> Path:
    """Where the record of an output is."""
    return output.with_name(output.name + ".json")


def read_record(output: Path) -> Record | None:
    """The record of an output; None where there is none that can be read."""
    path = record_path(output)
    try:
        value = read_json(path, _MOST_BYTES)
        item = CheckedObject(value, path)
        item.equal("format", FORMAT)
        item.equal("version", VERSION)
        for key in ("verb", "input", "output"):
            item.name(key)
        for key in ("identity", "input_sha256", "output_sha256", "reason"):
            if item.has(key):
                item.name(key)
        for key in ("seconds", "peak_megabytes"):
            item.number(key)
        for key in ("options", "notes"):
            item.names(key)
        item.object("versions")
        item.choice("status", {"done": None, "failed": None})
    except InputError:
        return None
    return cast(Record, value) if set(item.keys()) == set(Record.__annotations__) else None


def check_record(output: Path) -> None:
    """Raise `OutputError` where an output can have no record: another file, or too long a name."""
    path = record_path(output)
    with system_errors(OutputError, path, "cannot be written"):
        is_other = path.exists() and read_record(output) is None
    if is_other:
        raise OutputError(f"{path}: exists already and is no result of a batch; remove it")


def write_record(output: Path, record: Record) -> None:
    """Write the record of an output, in place of an earlier one.

    Raises `OutputError` where it cannot be written, or another file has its name.
    """
    check_record(output)
    replace_text(record_path(output), json.dumps(record, allow_nan=False, indent=1) + "\n")
