"""The tables of our user data, written from its syntax functions.

python -m gfvc.stream.documentation docs/user_data_syntax.md
"""

from __future__ import annotations

import sys
from pathlib import Path

from gfvc.stream import (
    control_grids,
    faces,
    information,
    references,
    schedule,
    sequence,
    shown_size,
)
from sei.documentation import syntax_table

_INTRODUCTION = """\
# Syntax of gfvc's user data

Written by `python -m gfvc.stream.documentation docs/user_data_syntax.md` from the syntax functions
in `gfvc/stream/`; a test fails when it is stale. Conditions and ranges are expressions of that
code. What follows stands in a user_data_unregistered SEI message (payload type 5), behind the 16
bytes of its UUID. [stream_format.md](stream_format.md) says what it means.
"""


def user_data_document() -> str:
    """The page as Markdown."""
    table = syntax_table(
        "stream_information",
        information,
        schedule,
        references,
        sequence,
        faces,
        control_grids,
        shown_size,
    )
    return f"{_INTRODUCTION}\n{table}\n"


def main() -> int:
    """Write the page to the file that is named."""
    Path(sys.argv[1]).write_text(user_data_document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
