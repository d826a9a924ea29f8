"""Bjøntegaard rates: how many bits one codec needs against another at equal quality.

Bjøntegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001, by the
package `bjontegaard` (Herglotz et al., "Beyond Bjøntegaard: limits of video compression
performance comparisons", 2022), with piecewise cubic interpolation that keeps monotone data
monotone (PCHIP). A rate is that of one clip; rates of clips are averaged, never their points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from gfvc.figures import drawing
from gfvc.metrics import Better, Measure

METHOD = "pchip"

NO_RATES = (
    "no Bjøntegaard rates: there are no two curves to compare, as without peers (--peers) or where "
    "all points of one failed"
)
"""What is said where nothing could be compared."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """Rate in kbit/s, positive, and the value of a measure."""

    kbps: float
    value: float


class Status(StrEnum):
    """What came of comparing two curves."""

    COMPARED = "compared"
    NO_OVERLAP = "no overlap"
    ONE_POINT = "one point"


@dataclass(frozen=True, slots=True)
class RateDifference:
    """Rate of a tested curve over that of an anchor at equal quality.

    `percent` is negative where the test needs fewer bits. COMPARED: the mean over the qualities
    that both reach; `overlap` is their share of the test's own range. ONE_POINT: one of
    the curves has a single useful point; `percent` is the difference at that quality if the other
    curve reaches it, else None, and it enters no mean. NO_OVERLAP: `gap` is how far apart the
    ranges are in the measure's unit, positive where the test is better throughout.
    `points` are the useful points of anchor and test.
    """

    status: Status
    percent: float | None
    overlap: float
    gap: float | None
    points: tuple[int, int]

    def to_json(self) -> dict[str, Any]:
        """The difference as a JSON object."""
        return asdict(self) | {"status": self.status.value, "points": list(self.points)}


def useful_points(points: Iterable[RatePoint], measure: Measure) -> list[RatePoint]:
    """The points that no other point beats or equals at no more bits, from few bits to many.

    What remains rises in both rate and quality, which interpolation needs.
    """
    sign = _sign(measure)
    useful: list[RatePoint] = []
    for point in sorted(points, key=lambda point: (point.kbps, -sign * point.value)):
        if not useful or sign * point.value > sign * useful[-1].value:
            useful.append(point)
    return useful


def within(
    points: Sequence[RatePoint], measure: Measure, low: float, high: float
) -> list[RatePoint]:
    """The part of a curve of useful points that lies within two rates in kbit/s.

    Where it goes on beyond a bound, it ends at the bound, by the interpolation that rates are
    compared by.
    """
    inside = [point for point in points if low <= point.kbps <= high]
    if len(points) < 2:
        return inside
    curve = _interpolated(points, measure)
    ends = [
        RatePoint(bound, _sign(measure) * float(quality))
        for bound in (low, high)
        if points[0].kbps < bound < points[-1].kbps
        for quality in curve.solve(np.log(bound), extrapolate=False)[:1]
    ]
    together = {point.kbps: point for point in (*ends, *inside)}
    return [together[kbps] for kbps in sorted(together)]


def envelope(curves: Iterable[Sequence[RatePoint]], measure: Measure) -> list[RatePoint]:
    """What one reaches with the best of several curves of useful points at each quality.

    At the quality of every point of theirs it has the least rate of those that reach it.
    """
    sign = _sign(measure)
    kept = [curve for curve in curves if curve]
    reached = [_reached(curve, measure) for curve in kept]
    points = []
    for quality in sorted({sign * point.value for curve in kept for point in curve}):
        rates = [rate for rate in (rate_at(quality) for rate_at in reached) if rate is not None]
        points.append(RatePoint(min(rates), sign * quality))
    return useful_points(points, measure)


def _reached(curve: Sequence[RatePoint], measure: Measure) -> Callable[[float], float | None]:
    """The rate in kbit/s of a curve at a quality; None of one that it does not reach."""
    sign = _sign(measure)
    known = {sign * point.value: point.kbps for point in curve}
    interpolated = _interpolated(curve, measure) if len(curve) > 1 else None

    def rate_at(quality: float) -> float | None:
        if quality in known:
            return known[quality]
        if interpolated is None or not min(known) < quality < max(known):
            return None
        return float(np.exp(interpolated(quality)))

    return rate_at


def _interpolated(curve: Sequence[RatePoint], measure: Measure) -> Any:
    """The logarithm of the rate over the quality of two and more useful points."""
    from scipy.interpolate import PchipInterpolator

    sign = _sign(measure)
    return PchipInterpolator(
        [sign * point.value for point in curve], [np.log(point.kbps) for point in curve]
    )


def _sign(measure: Measure) -> int:
    if measure.better is Better.ONE:
        raise ValueError(f"{measure.name}: more is neither better nor worse, so it has no curve")
    return 1 if measure.better is Better.HIGHER else -1


def rate_difference(
    anchor: Iterable[RatePoint], test: Iterable[RatePoint], measure: Measure
) -> RateDifference | None:
    """Compare a curve with an anchor; None when either has no points."""
    sign = _sign(measure)
    curves = [useful_points(points, measure) for points in (anchor, test)]
    if not all(curves):
        return None
    counts = len(curves[0]), len(curves[1])
    rates = [np.array([point.kbps for point in curve]) for curve in curves]
    qualities = [np.array([sign * point.value for point in curve]) for curve in curves]
    low = max(quality[0] for quality in qualities)
    high = min(quality[-1] for quality in qualities)
    if low > high:
        gap = float(low - high) * (1 if qualities[1][0] > qualities[0][-1] else -1)
        return RateDifference(Status.NO_OVERLAP, None, 0.0, gap, counts)
    if 1 in counts:
        percent = _at_one_quality(curves, measure)
        return RateDifference(Status.ONE_POINT, percent, 0.0, 0.0, counts)
    if low == high:
        return RateDifference(Status.NO_OVERLAP, None, 0.0, 0.0, counts)
    whole = qualities[1][-1] - qualities[1][0]
    mean = _bd_rate(rates[0], qualities[0], rates[1], qualities[1])
    return RateDifference(Status.COMPARED, mean, float((high - low) / whole), 0.0, counts)


def _bd_rate(anchor_rate: Any, anchor_quality: Any, test_rate: Any, test_quality: Any) -> float:
    with drawing():  # the package imports matplotlib's plotting interface
        from bjontegaard import bd_rate

    return float(
        bd_rate(
            anchor_rate,
            anchor_quality,
            test_rate,
            test_quality,
            method=METHOD,
            require_matching_points=False,
            min_overlap=0,
        )
    )


def _at_one_quality(curves: Sequence[Sequence[RatePoint]], measure: Measure) -> float | None:
    """Percent between the rates where one curve is a single point that the other reaches."""
    single = min(curves, key=len)[0]
    anchor, test = (_reached(curve, measure)(_sign(measure) * single.value) for curve in curves)
    return None if anchor is None or test is None else (test / anchor - 1) * 100


def badness(status: str, percent: float | None, gap: float | None) -> tuple[int, float] | None:
    """What orders comparisons from good to bad for the tested curve; None of one that says nothing.

    Curves apart come first or last, by their gap; the others are ordered by their rate.
    """
    if percent is not None:
        return 0, percent
    if status == Status.NO_OVERLAP.value and gap:
        return (-1 if gap > 0 else 1), -gap
    return None


def why_no_mean(status: str, gap: float | None) -> str:
    """What is said of two curves for which there is no mean over qualities."""
    if status == Status.NO_OVERLAP.value and gap:
        return f"{status}, {'better' if gap > 0 else 'worse'} by {abs(gap):.3g} at least"
    return status


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """Mean of clips' rate differences; `clips` of them were compared, `left_out` could not be.

    `worst` is the clip with the worst of all, and its difference; None when none says anything.
    """

    percent: float | None
    clips: int
    left_out: int
    worst: tuple[str, RateDifference] | None

    def to_json(self) -> dict[str, Any]:
        """The mean as a JSON object."""
        worst = None
        if self.worst is not None:
            clip, difference = self.worst
            worst = {"clip": clip, **difference.to_json()}
        return asdict(self) | {"worst": worst}


def mean_difference(differences: Mapping[str, RateDifference]) -> MeanDifference:
    """Average the clips that were compared, and find the worst; differences are by clip."""
    compared = [
        difference.percent
        for difference in differences.values()
        if difference.status is Status.COMPARED and difference.percent is not None
    ]
    mean = float(np.mean(compared)) if compared else None
    ranked = [
        (rank, clip)
        for clip, difference in differences.items()
        if (rank := badness(difference.status.value, difference.percent, difference.gap))
    ]
    worst = max(ranked)[1] if ranked else None
    return MeanDifference(
        mean,
        len(compared),
        len(differences) - len(compared),
        None if worst is None else (worst, differences[worst]),
    )
