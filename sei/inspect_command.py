"""The work of ``inspect`` on a command line, apart from where the NAL units come from."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from typing import TextIO

from sei.errors import SeiError
from sei.escaping import cut, printable
from sei.inspection import (
    InspectedMessage,
    InspectedUnit,
    inspect_units,
    json_object,
)
from sei.limits import ELEMENTS_PER_MESSAGE, MAX_MESSAGES, ReadingLimit
from sei.nal import NalUnit
from sei.stream_summary import PICTURE_PAYLOADS, Pictures, StreamSummary


def number_list(text: str) -> frozenset[int]:
    """Numbers with commas between them."""
    with contextlib.suppress(ValueError):
        numbers = frozenset(int(part) for part in text.split(","))
        if min(numbers) >= 0:
            return numbers
    raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 223,224")


def _fps(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (fps := float(text)) <= 1000:
            return fps
    raise argparse.ArgumentTypeError("pictures a second are more than 0 and at most 1000")


def message_limit(text: str) -> int:
    """A value of ``--max-messages``."""
    with contextlib.suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of messages, 1 or more")


def add_limit(parser: argparse.ArgumentParser) -> None:
    """Add the option that bounds what is read."""
    parser.add_argument(
        "--max-messages",
        type=message_limit,
        default=MAX_MESSAGES,
        metavar="N",
        help="read at most N SEI messages and N NAL units beyond one in 8 bytes, and "
        f"{ELEMENTS_PER_MESSAGE} N elements of messages (default: {MAX_MESSAGES})",
    )


def add_arguments(parser: argparse.ArgumentParser, stated_rate: str = "") -> None:
    """Add the options of ``inspect`` that do not depend on where the NAL units come from.

    ``stated_rate`` says where the rate comes from that is not given, if from somewhere.
    """
    parser.add_argument(
        "--json",
        action="store_true",
        help="one JSON object for each SEI message, one a line (with --summary or --bits: one)",
    )
    parser.add_argument("--summary", action="store_true", help="numbers and bytes only")
    parser.add_argument("--bits", action="store_true", help="bits of each kind of element only")
    parser.add_argument(
        "--payload",
        type=number_list,
        metavar="TYPES",
        help="only SEI messages of these payload types, for example 223,224",
    )
    parser.add_argument(
        "--draft",
        choices=("h274", "hm18"),
        default="h274",
        help="syntax of the face messages: h274 (default), or hm18, an older draft that the HEVC "
        "reference software HM 18.0 writes",
    )
    add_limit(parser)
    parser.add_argument(
        "--fps",
        type=_fps,
        metavar="N",
        help="pictures a second, for the rate in the summary"
        + (f" (default: {stated_rate})" if stated_rate else ""),
    )


def run(
    args: argparse.Namespace,
    units: Iterable[NalUnit],
    out: TextIO | None = None,
    err: TextIO | None = None,
    pictures: Pictures | None = None,
) -> int:
    """Print what ``args`` of `add_arguments` ask for; the exit status, 1 when anything is damaged.

    What can be read before a break in the stream is printed; the break is reported on ``err``.
    ``pictures`` counts the output pictures: by default, those that every stream tells of.
    """
    out = sys.stdout if out is None else out
    err = sys.stderr if err is None else err
    if isinstance(out, TextIOWrapper):
        # A stream's text, and our tables, may not fit the terminal's encoding.
        out.reconfigure(errors="backslashreplace")
    only_totals = args.summary or args.bits
    only_lines = args.json and not only_totals
    wanted = None if args.payload is None else args.payload | PICTURE_PAYLOADS
    stream = _Guarded(
        inspect_units(
            units,
            args.payload if only_lines else wanted,
            hm18=args.draft == "hm18",
            limit=ReadingLimit(args.max_messages),
        )
    )
    if only_lines:
        damaged = _print_json_lines(stream, out, pictures)
    else:
        summary = StreamSummary(pictures, args.payload)
        damaged = (_print_totals if only_totals else _print_tree)(stream, args, out, summary)
    if stream.error is not None:
        err.write(f"error: {printable(cut(str(stream.error)))}\n")
    return int(damaged or stream.error is not None)


class _Guarded:
    """What is inspected, up to a break in the stream, which it keeps."""

    def __init__(self, inspected: Iterator[InspectedUnit | InspectedMessage]) -> None:
        self._inspected = inspected
        self.error: SeiError | None = None

    def __iter__(self) -> Iterator[InspectedUnit | InspectedMessage]:
        try:
            yield from self._inspected
        except SeiError as error:
            self.error = error


def _print_json_lines(stream: _Guarded, out: TextIO, pictures: Pictures | None) -> bool:
    """Print an object a message; whether any is damaged. What is printed, `pictures` sees too."""
    encode = json.JSONEncoder().encode
    damaged = False
    for inspected in stream:
        if pictures is not None:
            pictures.see(inspected)
        if isinstance(inspected, InspectedMessage):
            damaged |= inspected.error is not None
            out.write(encode(json_object(inspected)) + "\n")
    return damaged


def _print_totals(
    stream: _Guarded, args: argparse.Namespace, out: TextIO, summary: StreamSummary
) -> bool:
    """Print the summary, or the bits of the elements, or both; whether anything is damaged."""
    for inspected in stream:
        summary.add(inspected)
    if args.json:
        out.write(json.dumps(summary.json_object(args.fps)) + "\n")
        return bool(summary.errors)
    from sei.tree import TreePrinter

    printer = TreePrinter(out)
    if args.bits:
        printer.show_bits(summary)
    if args.summary:
        printer.show_summary(summary, args.fps)
    return bool(summary.errors)


def _print_tree(
    stream: _Guarded, args: argparse.Namespace, out: TextIO, summary: StreamSummary
) -> bool:
    """Print the tree, then the summary; whether anything is damaged."""
    from sei.tree import TreePrinter

    printer = TreePrinter(out)
    for inspected in stream:
        summary.add(inspected)
        if isinstance(inspected, InspectedUnit) or inspected.is_of_types(args.payload):
            printer.show(inspected)
    printer.show_summary(summary, args.fps)
    return bool(summary.errors)
