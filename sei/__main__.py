"""``python -m sei FILE``: what is in an elementary stream. ``--write-docs``: the syntax tables."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sei import inspect_command
from sei.annex_b import split_annex_b
from sei.nal import Codec


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``python -m sei``."""
    parser = argparse.ArgumentParser(
        prog="python -m sei",
        description="Show the NAL units and SEI messages of a VVC, HEVC or H.264 byte stream. "
        "Exit status: 0 done, 1 something is damaged, 2 usage.",
    )
    parser.add_argument("file", nargs="?", help="elementary stream (Annex B), - for stdin")
    parser.add_argument(
        "--codec",
        choices=[codec.value for codec in Codec],
        help="codec of the stream, where its NAL units do not tell",
    )
    inspect_command.add_arguments(parser)
    parser.add_argument(
        "--write-docs", type=Path, metavar="PATH", help="write the syntax tables and stop"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    if args.write_docs is not None:
        from sei.documentation import syntax_document

        args.write_docs.write_text(syntax_document(), encoding="utf-8")
        return 0
    if args.file is None:
        parser.error("name a file, or - for stdin")
    codec = None if args.codec is None else Codec(args.codec)
    try:
        if args.file == "-":
            return inspect_command.run(args, split_annex_b(sys.stdin.buffer, codec))
        with Path(args.file).open("rb") as file:
            return inspect_command.run(args, split_annex_b(file, codec))
    except BrokenPipeError:
        # The reader of our output went away: nothing more to say, not even on closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {args.file}: {error.strerror}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
