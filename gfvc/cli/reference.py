"""The command line reference, written from the parsers.

python -m gfvc.cli.reference docs/cli.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gfvc.cli.parser import COMMANDS, build_parser

_INTRODUCTION = """\
# Command line reference

Written by `python -m gfvc.cli.reference docs/cli.md` from the parsers; do not edit.
"""


def reference() -> str:
    """The reference as Markdown."""
    parser = build_parser(*COMMANDS)
    actions = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    parts = [_INTRODUCTION, _section("gfvc", parser)]
    for action in actions:
        parts += [_section(f"gfvc {name}", command) for name, command in action.choices.items()]
    return "\n".join(parts)


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = _plain_formatter
    return f"## {name}\n\n```\n{parser.format_help().rstrip()}\n```\n"


def _plain_formatter(prog: str) -> argparse.HelpFormatter:
    """The same text on every terminal."""
    return argparse.RawDescriptionHelpFormatter(prog, width=96)


def main() -> int:
    """Write the reference to the file that is named."""
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
