"""Bjøntegaard rates: how many bits one codec needs against another at equal quality.

Bjøntegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001, by the
package `bjontegaard` (Herglotz et al., "Beyond Bjøntegaard: limits of video compression
performance comparisons", 2022), with piecewise cubic interpolation that keeps monotone data
monotone (PCHIP). A rate is that of one clip; rates of clips are averaged, never their points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from gfvc.drawing import drawing
from gfvc.metrics import Better, Measure

METHOD = "pchip"


@dataclass(frozen=True, slots=True)
class RatePoint:
    """Rate in kbit/s, positive, and the value of a measure."""

    kbps: float
    value: float


class Status(str, Enum):
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
        return {
            "status": self.status.value,
            "percent": self.percent,
            "overlap": self.overlap,
            "gap": self.gap,
            "points": list(self.points),
        }


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
        return RateDifference(Status.ONE_POINT, _at_one_quality(rates, qualities), 0.0, 0.0, counts)
    if low == high:
        return RateDifference(Status.NO_OVERLAP, None, 0.0, 0.0, counts)
    whole = qualities[1][-1] - qualities[1][0]
    percent = _bd_rate(rates[0], qualities[0], rates[1], qualities[1])
    return RateDifference(Status.COMPARED, percent, float((high - low) / whole), 0.0, counts)


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


def _at_one_quality(rates: Sequence[Any], qualities: Sequence[Any]) -> float:
    """Percent between the rates where one curve is a single point that the other reaches."""
    from scipy.interpolate import PchipInterpolator

    quality = qualities[0][0] if len(qualities[0]) == 1 else qualities[1][0]
    anchor, test = (
        np.log(rate[0]) if len(rate) == 1 else PchipInterpolator(reached, np.log(rate))(quality)
        for rate, reached in zip(rates, qualities, strict=True)
    )
    return float((np.exp(test - anchor) - 1) * 100)


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """Mean of clips' rate differences; `clips` of them were compared, `left_out` could not be."""

    percent: float | None
    clips: int
    left_out: int


def mean_difference(differences: Sequence[RateDifference | None]) -> MeanDifference:
    """Average the clips that were compared."""
    compared = [
        difference.percent
        for difference in differences
        if difference is not None
        and difference.status is Status.COMPARED
        and difference.percent is not None
    ]
    mean = float(np.mean(compared)) if compared else None
    return MeanDifference(mean, len(compared), len(differences) - len(compared))
