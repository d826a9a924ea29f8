"""What the commands of benchmarks share: their parser, and results as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def command_parser(
    name: str, about: str | None, *, clips: bool = False, raw: bool = False
) -> argparse.ArgumentParser:
    """The parser of a benchmark's arguments.

    Args:
        name: of its module.
        about: its description.
        clips: whether it takes video files.
        raw: keep the line breaks of the description.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    if raw:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
    if clips:
        parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    return parser


def write_json(path: Path | None, content: Any) -> None:
    """Write results to a file, if one is asked for."""
    if path is not None:
        path.write_text(json.dumps(content, indent=2) + "\n")
