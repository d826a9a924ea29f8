"""Flicker of gfvc's points over a peer's at equal bits, from the results of `gfvc bench`.

    python -m benchmarks.flicker DIR/bench.json [--above KBPS] [--below KBPS]

For each point of gfvc within the bounds, the flicker (docs/measures.md) of a peer at as many bits
is read between two of its points, by the logarithm of the rate: of the peer's curve (size and
picture rate) that has the highest MS-SSIM there, since a smear flickers least. Printed are the
points of each clip, and means: of a clip's points, then of clips.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.command import command_parser
from gfvc.bench.comparison import curves_of
from gfvc.bench.results import read_results
from gfvc.errors import GfvcError

ABOVE, BELOW = 3.0, 15.0  # kbit/s
_FLICKER, _QUALITY = "flicker", "ms_ssim"

Points = Sequence[Mapping[str, Any]]


class Ratio(NamedTuple):
    """A point of gfvc: kbit/s, its flicker over that of a peer's curve, and the curve's name."""

    kbps: float
    ratio: float
    peer: str


def ratios(points: Points, above: float, below: float) -> list[Ratio]:
    """Of the points of one clip, with falling bits; none where no peer has as few or as many."""
    curves = curves_of(points)
    found = []
    for ours in (point for curve in curves.ours.values() for point in curve):
        if not above <= ours["kbps"] <= below or ours["scores"][_FLICKER] is None:
            continue
        at_equal_bits = [
            (_at(ours["kbps"], peer, _QUALITY), _at(ours["kbps"], peer, _FLICKER), name)
            for name, peer in curves.peers.items()
        ]
        known = [each for each in at_equal_bits if not np.isnan(each[:2]).any()]
        if known:
            _, flicker, name = max(known)
            found.append(Ratio(ours["kbps"], ours["scores"][_FLICKER] / flicker, name))
    return sorted(found, reverse=True)


def _at(kbps: float, points: Points, measure: str) -> float:
    """A measure of a curve at some kbit/s; NaN beyond its points."""
    known = sorted(
        (point["kbps"], point["scores"][measure])
        for point in points
        if point["scores"][measure] is not None
    )
    if not known:
        return np.nan
    rates, values = zip(*known, strict=True)
    beyond = {"left": np.nan, "right": np.nan}
    return float(np.interp(np.log(kbps), np.log(rates), values, **beyond))


def lines(results: Mapping[str, Any], above: float, below: float) -> Iterator[str]:
    """The table."""
    yield "| clip | mean | kbit/s: flicker over that of the peer |"
    yield "| --- | --- | --- |"
    means = []
    for clip in results["clips"]:
        points = [point for point in results["points"] if point["clip"] == clip["id"]]
        found = ratios(points, above, below)
        if not found:
            yield f"| {clip['id']} | | no point with as many bits as a peer's |"
            continue
        means.append(float(np.mean([each.ratio for each in found])))
        shown = ", ".join(f"{each.kbps:.1f}: {each.ratio:.2f} ({each.peer})" for each in found)
        yield f"| {clip['id']} | {means[-1]:.2f} | {shown} |"
    if means:
        yield f"| mean | {np.mean(means):.2f} | |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module's docstring."""
    parser = command_parser("flicker", __doc__)
    parser.add_argument("results", type=Path, metavar="BENCH.JSON")
    parser.add_argument("--above", type=float, default=ABOVE, metavar="KBPS")
    parser.add_argument("--below", type=float, default=BELOW, metavar="KBPS")
    options = parser.parse_args(arguments)
    try:
        results = read_results(options.results)
    except GfvcError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(lines(results, options.above, options.below)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
