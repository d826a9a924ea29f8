"""What a report shows of a clip: which points side by side, and which pictures are the worst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gfvc.bench.records import Point
from gfvc.metrics import Better, Measure
from gfvc.report.bench_run import RateRow

PEER = "vvenc"
"""The encoder to compare with, where a run has it."""

CLOSE = 1.1
"""Ratio of bits up to which two points have about as many."""
_BEST_BY = "ms_ssim"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A point of gfvc, and the point of a conventional encoder to compare it with, if any."""

    ours: Point
    peer: Point | None

    @property
    def bits_ratio(self) -> float:
        """Bits of the peer over bits of gfvc; 1 without a peer."""
        return 1.0 if self.peer is None else self.peer.bits / self.ours.bits

    @property
    def distance(self) -> float:
        """How far apart in bits, as a logarithm; 0 is equal."""
        return abs(math.log(self.bits_ratio))


def comparisons(points: Sequence[Point]) -> list[Comparison]:
    """One comparison for each point of gfvc of one clip, the most equal of each curve first.

    The first of every curve come first, so that what does not fit is left out at the end. Peers
    are points of VVenC at any picture size, or of all encoders in a run without it.
    """
    peers = [point for point in points if point.encoder == PEER]
    peers = peers or [point for point in points if not point.is_ours]
    by_curve: dict[str, list[Comparison]] = {}
    for point in points:
        if point.is_ours:
            by_curve.setdefault(point.curve, []).append(Comparison(point, nearest(point, peers)))
    ranked = [sorted(curve, key=lambda each: each.distance) for curve in by_curve.values()]
    return [curve[0] for curve in ranked] + [each for curve in ranked for each in curve[1:]]


def nearest(point: Point, peers: Sequence[Point]) -> Point | None:
    """The peer to compare with: the best of those of about as many bits, else the nearest in bits.

    About as many are those within `CLOSE` of their ratio, the best that of the highest MS-SSIM: a
    peer codes at several sizes and rates. Of two as near, the one with fewer bits.
    """
    scored = {
        number: score
        for number, peer in enumerate(peers)
        if _distance(point, peer) <= math.log(CLOSE)
        and (score := peer.scores.get(_BEST_BY)) is not None
    }
    if scored:
        return peers[max(scored, key=lambda number: scored[number])]
    return min(peers, key=lambda peer: (_distance(point, peer), peer.bits), default=None)


def _distance(point: Point, peer: Point) -> float:
    return abs(math.log(peer.bits / point.bits))


def worst_pictures(
    scores: Sequence[float | None], measure: Measure, count: int, apart: int
) -> list[int]:
    """Numbers of the worst pictures, the worst first, at least `apart` pictures from each other.

    Pictures without a score are never among them. Raises `ValueError` for a measure of which
    neither more nor less is better.
    """
    if measure.better is Better.ONE:
        raise ValueError(f"{measure.name}: more is neither better nor worse")
    sign = 1 if measure.better is Better.HIGHER else -1
    scored = [(sign * score, index) for index, score in enumerate(scores) if score is not None]
    chosen: list[int] = []
    for _, index in sorted(scored):
        if len(chosen) == count:
            break
        if all(abs(index - other) >= apart for other in chosen):
            chosen.append(index)
    return chosen


def worst_rates(rows: Sequence[RateRow]) -> list[RateRow]:
    """Of the rates of one clip, the worst over all measures for each two curves.

    That is every measure by which curves lie apart and ours is worse, since gaps in different units
    have no order; where there is none, the measure with the highest rate. Where all curves lie
    apart and ours is better throughout, or nothing can be said, there is none.
    """
    by_pair: dict[tuple[str, str], list[RateRow]] = {}
    for row in rows:
        if row.badness is not None and row.badness[0] >= 0:
            by_pair.setdefault((row.test, row.anchor), []).append(row)
    worst: list[RateRow] = []
    for of_pair in by_pair.values():
        apart = [row for row in of_pair if row.badness is not None and row.badness[0] > 0]
        worst += apart or [max(of_pair, key=lambda row: row.badness or (0, 0.0))]
    return worst
