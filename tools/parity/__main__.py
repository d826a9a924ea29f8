"""``python -m tools.parity NAME --pack DIR [--salt S]``: exit status 0 when all arrays agree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.parity.check import check_parity, checked_families
from tools.parity.comparison import Comparison, Verdict
from tools.parity.pack import ParityPackError


def _parser() -> argparse.ArgumentParser:
    names = tuple(checked_families())
    parser = argparse.ArgumentParser(
        prog="python -m tools.parity",
        description="Compare a network with the golden arrays of a parity pack.",
    )
    parser.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument(
        "--pack", type=Path, required=True, metavar="DIR", help="folder of NAME.json and NAME.npz"
    )
    parser.add_argument("--salt", default="", help="salt that the pack was made with")
    return parser


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"


def _table(results: Sequence[Comparison]) -> str:
    width = max((len(result.name) for result in results), default=0)
    lines = [f"{'array':<{width}}  max error    limit  verdict"]
    lines += [
        f"{result.name:<{width}}  {_number(result.error):>9}  {_number(result.limit):>7}"
        f"  {result.verdict.value}{'  (' + result.note + ')' if result.note else ''}"
        for result in results
    ]
    return "\n".join(lines)


def _summary(name: str, results: Sequence[Comparison]) -> str:
    counts = {verdict: sum(r.verdict is verdict for r in results) for verdict in Verdict}
    return f"{name}: " + ", ".join(
        f"{count} {verdict.value}" for verdict, count in counts.items() if count
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check, print the table on stdout, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        results = check_parity(options.name, options.pack, options.salt)
    except ParityPackError as error:
        sys.stderr.write(f"{options.name}: {error}\n")
        return 1
    sys.stdout.write(f"{_table(results)}\n{_summary(options.name, results)}\n")
    agreed = any(result.verdict is Verdict.OK for result in results)
    return 0 if agreed and not any(result.verdict.is_failure for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
