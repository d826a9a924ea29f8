"""What the commands of benchmarks share: their parser, and results as JSON."""

from __future__ import annotations

import argparse
from json import dumps
from pathlib import Path
from typing import Any


def command_parser(
    name: str, about: str | None, *, clips: bool = False, raw: bool = False, json: bool = False
) -> argparse.ArgumentParser:
    """The parser of a benchmark's arguments.

    Args:
        name: of its module.
        about: its description.
        clips: whether it takes video files.
        raw: keep the line breaks of the description.
        json: whether it has the option of a file for `write_json`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    if raw:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
    if clips:
        parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    if json:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    return parser


def write_json(path: Path | None, content: Any) -> None:
    """Write results to a file, if one is asked for."""
    if path is not None:
        path.write_text(dumps(content, indent=2) + "\n")
