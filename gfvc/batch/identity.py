"""Which work a job is: a hash of its input, of what its options mean, and of versions.

Options that change nothing of an output, such as a time limit, are no part of it, nor are those
that say what would be without them. Records of before this was so have hashes of options as they
were written; such a record counts for a job that means the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gfvc.batch.jobs import Options
from models.files import file_sha256

_SCHEME = 2
"""Raised when what was done before must be done again."""
_SCHEME_OF_TEXT = 1
"""That of records with hashes of options as they were written."""


def identity_of(
    verb: str, input_sha256: str, meant: Mapping[str, Any], versions: Mapping[str, str]
) -> str:
    """The hash as hex; `meant` is what options mean, a JSON object.

    Files that options name count by what is in them. Raises `ModelError` when one of those cannot
    be read.
    """
    files = {text: file_sha256(Path(text)) for text in _texts(meant) if _is_file(text)}
    return _hash(
        {
            "scheme": _SCHEME,
            "verb": verb,
            "input": input_sha256,
            "options": meant,
            "files": files,
            "versions": dict(versions),
        }
    )


def earlier_identity_of(
    verb: str, input_sha256: str, options: Options, versions: Mapping[str, str]
) -> str:
    """The hash that records of before have, of options as they were written; raises as well."""
    # `--translator map.safetensors`, `--translator=map.safetensors`
    values = [option.partition("=")[2] if option[:2] == "--" else option for option in options]
    return _hash(
        {
            "scheme": _SCHEME_OF_TEXT,
            "verb": verb,
            "input": input_sha256,
            "options": list(options),
            "files": [file_sha256(Path(value)) for value in values if _is_file(value)],
            "versions": dict(versions),
        }
    )


def content_sha256(path: Path) -> str | None:
    """The hash of a file, or of the names and hashes of all files in a folder; None of others.

    Folders of ours have no folders in them. Raises `ModelError` or `OSError` when something cannot
    be read.
    """
    if not path.is_dir():
        return file_sha256(path) if path.is_file() else None
    whole = hashlib.sha256()
    for entry in sorted(path.iterdir(), key=lambda entry: os.fsencode(entry.name)):
        if not entry.is_file():
            return None
        # No name has a zero byte in it, and hashes are of one length.
        whole.update(os.fsencode(entry.name) + b"\0" + file_sha256(entry).encode())
    return whole.hexdigest()


def _hash(depends: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def _is_file(text: str) -> bool:
    return bool(text) and Path(text).is_file()


def _texts(value: Any) -> Iterable[str]:
    """All texts in a JSON value, but for names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
