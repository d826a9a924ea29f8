"""Write the goldens anew: `python -m tests.golden.regenerate`, or with --streams.

Without --streams the streams stay as they are, and what is read from them is written anew, beside
what the encoder decides. With it they are coded anew as well, by the encoders that are installed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.golden.decisions import SCENARIOS, tell_surely
from tests.golden.files import DECISIONS, STREAMS
from tests.golden.streams import RECIPES, inspected, names, told, write_stream


def _keep(folder: Path, wanted: list[str]) -> None:
    """Make a folder of goldens, and remove what does not belong there."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


def _write(path: Path, text: str) -> None:
    """Write a golden, and say so where it changes."""
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.name} is new\n")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.regenerate", description=__doc__)
    parser.add_argument("--streams", action="store_true", help="code the streams anew, too")
    options = parser.parse_args()
    _keep(DECISIONS, [f"{name}.txt" for name in SCENARIOS])
    _keep(STREAMS, names())
    for name, scenario in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as folder:
            _write(DECISIONS / f"{name}.txt", tell_surely(scenario, Path(folder)))
    for name in RECIPES:
        path = STREAMS / name
        if options.streams or not path.is_file():
            write_stream(name)
            sys.stdout.write(f"{name} is coded anew\n")
        _write(STREAMS / f"{name}.jsonl", inspected(path))
        _write(STREAMS / f"{name}.txt", told(path))


if __name__ == "__main__":
    main()
