"""Lists of what is to be done, by hand or by a program: CSV, or JSON lines.

A row, or object, has `input`, a path beneath the list's folder or an absolute one. It may have
`output`, a path in the output folder, and `options` as on a command line: a text, or in JSON a list
of texts.
"""

from __future__ import annotations

import csv
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gfvc.errors import InputError, system_errors
from gfvc.json_checking import CheckedObject, parse_json

_COLUMNS = ("input", "output", "options")
_SUFFIXES = frozenset({".csv", ".jsonl", ".ndjson"})
# Tables and lists of names, which are no clips, and are not read.
_OTHER_LISTS = frozenset(
    {".txt", ".tsv", ".tab", ".json", ".lst", ".list", ".ods", ".xls", ".xlsx"}
)
_MOST_BYTES = 1 << 20  # of a line
_MOST_OPTIONS = 200  # of a row; what reads them takes time by the square of their number


@dataclass(frozen=True, slots=True)
class Row:
    """A row: `stated` says where it stands."""

    input: str
    output: str | None
    options: tuple[str, ...]
    stated: str


def is_manifest(path: Path) -> bool:
    """Whether a file is a list, by its suffix."""
    return path.suffix.lower() in _SUFFIXES


def is_other_list(path: Path) -> bool:
    """Whether a file may be meant as a list, by its suffix, and is none that can be read."""
    return path.suffix.lower() in _OTHER_LISTS


def read_manifest(path: Path) -> Iterator[Row]:
    """The rows of a list; raises `InputError`, which says which row is wrong."""
    read = _from_csv if path.suffix.lower() == ".csv" else _from_json
    try:
        # Spreadsheets put a mark of UTF-8 before what they save.
        with (
            system_errors(InputError, path, "cannot be read"),
            path.open(encoding="utf-8-sig", newline="") as file,
        ):
            yield from read(path, file)
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text in UTF-8") from None


def _from_csv(path: Path, file: Iterator[str]) -> Iterator[Row]:
    reader = csv.DictReader(file)
    try:
        names = reader.fieldnames or ()
        if "input" not in names:
            known = ", ".join(_COLUMNS)
            raise InputError(
                f"{path}: its first line names no column input; known are {known}, with commas "
                "between them"
            )
        if unknown := [name for name in names if name not in _COLUMNS]:
            raise InputError(
                f"{path}: has a column {unknown[0]!r}; known are {', '.join(_COLUMNS)}"
            )
        if len(set(names)) < len(names):
            raise InputError(f"{path}: has a column twice; known are {', '.join(_COLUMNS)}")
        for values in reader:
            stated = f"{path}, line {reader.line_num}"
            if None in values:
                raise InputError(f"{stated}: has more cells than there are columns")
            options = _split(values.get("options") or "", stated)
            yield _row(values["input"], values.get("output"), options, stated)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.reader.line_num}: no CSV ({error})") from None


def _from_json(path: Path, file: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        stated = f"{path}, line {number}"
        if len(line) > _MOST_BYTES:
            raise InputError(f"{stated}: has more than the {_MOST_BYTES} bytes that are taken")
        row = CheckedObject(parse_json(line.encode(), stated), stated)
        if unknown := [name for name in row.keys() if name not in _COLUMNS]:  # noqa: SIM118
            raise row.refuse(f"has a member {unknown[0]!r}; known are {', '.join(_COLUMNS)}")
        output = row.name("output") if row.has("output") else None
        options: tuple[str, ...] = ()
        if row.has("options"):
            options = (
                row.names("options")
                if row.is_list("options")
                else _split(row.name("options"), stated)
            )
        yield _row(row.name("input"), output, options, stated)


def _split(text: str, stated: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise InputError(f"{stated}: its options cannot be told apart ({error})") from None


def _row(given: str, output: str | None, options: tuple[str, ...], stated: str) -> Row:
    """A row of checked names; an empty output is none."""
    if not given:
        raise InputError(f"{stated}: has no input")
    if len(options) > _MOST_OPTIONS:
        raise InputError(
            f"{stated}: has {len(options)} words of options, where {_MOST_OPTIONS} are the most"
        )
    return Row(_path(given, stated), _path(output, stated) if output else None, options, stated)


def _path(text: str, stated: str) -> str:
    """A text that can be a path: without a zero character or half a character."""
    try:
        usable = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise InputError(f"{stated}: {text!r} cannot be the name of a file")
    return text
