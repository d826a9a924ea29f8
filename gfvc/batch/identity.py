"""Which work a job is: the hash of its input, its options and the versions of what does it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from gfvc.batch.jobs import Options
from models.files import file_sha256

_SCHEME = 1
"""Raised when what was done before must be done again."""


def identity_of(verb: str, input_sha256: str, options: Options, versions: Mapping[str, str]) -> str:
    """The hash as hex. Files that options name count by what is in them.

    Raises `ModelError` when one of those cannot be read.
    """
    depends = {
        "scheme": _SCHEME,
        "verb": verb,
        "input": input_sha256,
        "options": list(options),
        "files": [file_sha256(path) for path in _files_of(options)],
        "versions": dict(versions),
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def _files_of(options: Options) -> list[Path]:
    """Files that options name: `--translator map.safetensors`, `--translator=map.safetensors`."""
    values = [option.partition("=")[2] if option[:2] == "--" else option for option in options]
    return [path for value in values if value and (path := Path(value)).is_file()]
