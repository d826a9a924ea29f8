"""The work of ``inspect`` on a command line, apart from where the NAL units come from."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
from collections.abc import Iterable, Iterator
from fractions import Fraction
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


def _picture_rate(text: str) -> float:
    """Pictures a second, a number or a fraction of whole ones."""
    try:
        fps = float(Fraction(text)) if "/" in text else float(text)
    except (ValueError, ArithmeticError):
        fps = math.nan
    if math.isnan(fps):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate such as 25 or 30000/1001")
    if not 0 < fps <= 1000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a rate above 0 and up to 1000 pictures a second"
        )
    return fps


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
        type=_picture_rate,
        metavar="RATE",
        help="pictures a second, 25 or 30000/1001, for the rate in the summary"
        + (f" (default: {stated_rate})" if stated_rate else ""),
    )


def run(
    args: argparse.Namespace,
    units: Iterable[NalUnit],
    out: TextIO | None = None,
    err: TextIO | None = None,
    pictures: Pictures | None = None,
    name: str | None = None,
) -> int:
    """Print what ``args`` of `add_arguments` ask for; the exit status, 1 when anything is damaged.

    What can be read before a break in the stream is printed; the break is reported on ``err``, and
    how many messages cannot be read, with the first; ``name`` is that of the file, said first.
    ``pictures`` counts the output pictures: by default, those that every stream tells of.
    """
    out = sys.stdout if out is None else out
    err = sys.stderr if err is None else err
    if isinstance(out, TextIOWrapper):
        # A stream's text, and our tables, may not fit the terminal's encoding.
        out.reconfigure(errors="backslashreplace")
    only_totals = args.summary or args.bits
    only_lines = args.json and not only_totals
    stream = Inspection(args, units, only_selected=only_lines)
    if only_lines:
        _print_json_lines(stream, out, pictures)
    else:
        summary = StreamSummary(pictures, args.payload)
        (_print_totals if only_totals else _print_tree)(stream, args, out, summary)
    return stream.report(err, name)


def error_line(problem: str, name: str | None = None) -> str:
    """The line that says what is wrong with a stream, of a file of this name."""
    where = "" if name is None else f"{printable(name)}: "
    return f"error: {where}{printable(problem)}\n"


class Inspection:
    """What is inspected, up to a break in the stream; it keeps what is wrong.

    ``args`` of `add_arguments` say how. Messages that count pictures come too, unless
    ``only_selected`` ones are wanted.
    """

    def __init__(
        self, args: argparse.Namespace, units: Iterable[NalUnit], *, only_selected: bool = False
    ) -> None:
        wanted = args.payload
        if wanted is not None and not only_selected:
            wanted |= PICTURE_PAYLOADS
        self._inspected = inspect_units(
            units, wanted, hm18=args.draft == "hm18", limit=ReadingLimit(args.max_messages)
        )
        self._payload_types: frozenset[int] | None = args.payload
        self._damaged = 0
        self._first: InspectedMessage | None = None
        self._break: SeiError | None = None

    def __iter__(self) -> Iterator[InspectedUnit | InspectedMessage]:
        try:
            for inspected in self._inspected:
                if isinstance(inspected, InspectedMessage) and inspected.error is not None:
                    self._note(inspected)
                yield inspected
        except SeiError as error:
            self._break = error

    def _note(self, damaged: InspectedMessage) -> None:
        if damaged.is_of_types(self._payload_types):
            self._damaged += 1
            self._first = self._first or damaged

    def _problems(self) -> list[str]:
        """What is damaged, with the first place, and why the stream breaks off; a line each."""
        problems = []
        if self._first is not None:
            more = f" (and {self._damaged - 1} more like this)" if self._damaged > 1 else ""
            where = self._first.where
            place = "" if where.unit.offset is None else f" at byte {where.unit.offset}"
            problems.append(f"NAL unit {where.nal}{place}: {self._first.error}{more}")
        if self._break is not None:
            problems.append(str(self._break))
        return problems

    def report(self, err: TextIO, name: str | None = None) -> int:
        """Say on ``err`` what is wrong with a file of this name; the exit status, 1 if anything."""
        problems = self._problems()
        err.writelines(error_line(cut(problem), name) for problem in problems)
        return int(bool(problems))


def _print_json_lines(stream: Inspection, out: TextIO, pictures: Pictures | None) -> None:
    """Print an object a message. What is printed, `pictures` sees too."""
    encode = json.JSONEncoder().encode
    for inspected in stream:
        if pictures is not None:
            pictures.see(inspected)
        if isinstance(inspected, InspectedMessage):
            out.write(encode(json_object(inspected)) + "\n")


def _print_totals(
    stream: Inspection, args: argparse.Namespace, out: TextIO, summary: StreamSummary
) -> None:
    """Print the summary, or the bits of the elements, or both."""
    for inspected in stream:
        summary.add(inspected)
    if args.json:
        out.write(json.dumps(summary.json_object(args.fps)) + "\n")
        return
    from sei.tree import TreePrinter

    printer = TreePrinter(out)
    if args.bits:
        printer.show_bits(summary)
    if args.summary:
        printer.show_summary(summary, args.fps)


def _print_tree(
    stream: Inspection, args: argparse.Namespace, out: TextIO, summary: StreamSummary
) -> None:
    """Print the tree, then the summary."""
    from sei.tree import TreePrinter

    printer = TreePrinter(out)
    for inspected in stream:
        summary.add(inspected)
        if isinstance(inspected, InspectedUnit) or inspected.is_of_types(args.payload):
            printer.show(inspected)
    printer.show_summary(summary, args.fps)
