"""Edits from a JSON file: `{"edits": [{"yaw": 10, "from": 1, "to": 3}, {"smile": 0.5}]}`.

Each is an object with the fields of `FaceEdit`, named as the options of `gfvc edit` without their
dashes; `shift` and `gaze` are lists of two numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gfvc.json_checking import CheckedObject, read_json
from gfvc.options.declaration import OptionConflictError, described_options
from gfvc.options.editing import FaceEdit

_MAX_BYTES = 1 << 20
_MAX_EDITS = 1000
_PAIRS = ("shift", "gaze")


def read_script(path: Path) -> tuple[FaceEdit, ...]:
    """The edits of a file, in its order; raise `InputError` when it holds anything else."""
    script = CheckedObject(read_json(path, _MAX_BYTES), path)
    _check_names(script, {"edits"})
    given = script.objects("edits")
    if not 0 < len(given) <= _MAX_EDITS:
        raise script.wrong("edits", f"a list of 1..{_MAX_EDITS} edits")
    return tuple(map(_edit, given))


def _check_names(checked: CheckedObject, known: set[str]) -> None:
    unknown = sorted(set(checked.keys()) - known)
    if unknown:
        raise checked.wrong(unknown[0], f"a known name; known are {', '.join(sorted(known))}")


def _edit(given: CheckedObject) -> FaceEdit:
    options = described_options(FaceEdit)
    fields = {option.flag or name: name for name, (option, _) in options.items()}
    _check_names(given, set(fields))
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if given.has(name):
            value = given.numbers(name, 2) if field in _PAIRS else given.number(name)
            option, _ = options[field]
            try:
                values[field] = option.value_of(value)
            except ValueError:
                raise given.wrong(name, option.wanted) from None
    try:
        return FaceEdit(**values)
    except OptionConflictError as error:
        names = {field: name for name, field in fields.items()}
        raise given.refuse(error.message.format_map(names)) from None
