"""``python -m sei FILE``: what is in an elementary stream. ``--write-docs``: the syntax tables."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from sei import inspect_command
from sei.annex_b import split_annex_b
from sei.errors import StreamError
from sei.nal import Codec, NalUnit

_ADVICE = (
    "; the stream in a container can be taken out of it (ffmpeg -i IN.mp4 -c:v copy OUT.265, or "
    ".266 or .264), and gfvc inspect reads containers"
)


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
        help="codec of the stream, where its parameter sets do not tell",
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
        with _opened(args.file) as file:
            units = _readable(split_annex_b(file, named=codec))
            status = inspect_command.run(args, units, name=args.file)
        sys.stdout.flush()
    except _InputError as error:
        return _failed(args.file, error.reason)
    except BrokenPipeError:
        # The reader of our output went away: nothing more to say, not even on closing stdout.
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        return _failed("standard output", error.strerror or str(error))
    return status


class _InputError(Exception):
    """The input cannot be read; any other OSError is about standard output."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening is guarded
    except (OSError, ValueError) as error:
        raise _InputError(getattr(error, "strerror", None) or str(error)) from None
    with file:
        yield file


def _readable(units: Iterator[NalUnit]) -> Iterator[NalUnit]:
    is_empty = True
    try:
        for unit in units:
            is_empty = False
            yield unit
    except OSError as error:
        raise _InputError(error.strerror or str(error)) from None
    except StreamError as error:
        if not is_empty:
            raise  # what came before it is shown
        advice = _ADVICE if error.offset == 0 else ""
        raise _InputError(f"{error}{advice}") from None
    if is_empty:
        raise _InputError("is empty")


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(what: str, reason: str) -> int:
    sys.stderr.write(inspect_command.error_line(reason, what))
    return 1


if __name__ == "__main__":
    sys.exit(main())
