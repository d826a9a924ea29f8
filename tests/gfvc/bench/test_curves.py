"""Bjøntegaard rates by hand, and what is said of curves that cannot be compared."""

from __future__ import annotations

import math

import pytest

from gfvc.bench.curves import (
    RateDifference,
    RatePoint,
    Status,
    mean_difference,
    rate_difference,
    useful_points,
    within,
)
from gfvc.metrics import MEASURES

PSNR, ERROR = MEASURES["psnr"], MEASURES["landmark_error"]


def line(kbps: list[float], values: list[float]) -> list[RatePoint]:
    return [RatePoint(*pair) for pair in zip(kbps, values, strict=True)]


ANCHOR = line([4, 8, 16, 32], [30, 33, 36, 39])


def compared(anchor: list[RatePoint], test: list[RatePoint]) -> RateDifference:
    difference = rate_difference(anchor, test, PSNR)
    assert difference is not None
    return difference


def test_half_the_rate_everywhere() -> None:
    difference = compared(ANCHOR, line([2, 4, 8, 16], [30, 33, 36, 39]))
    assert difference.status is Status.COMPARED
    assert difference.percent == pytest.approx(-50)
    assert difference.overlap == 1
    assert compared(ANCHOR, ANCHOR).percent == pytest.approx(0)


def test_only_what_both_reach_counts() -> None:
    # A straight line in log rate, 3 dB better: half the rate; it starts within the anchor's range.
    difference = compared(ANCHOR, line([8, 16, 32], [36, 39, 42]))
    assert difference.percent == pytest.approx(-50)
    assert difference.overlap == pytest.approx(0.5)


def test_a_measure_where_less_is_better() -> None:
    anchor = line([4, 8, 16], [0.04, 0.03, 0.02])
    difference = rate_difference(anchor, line([1, 2, 4], [0.04, 0.03, 0.02]), ERROR)
    assert difference is not None
    assert difference.percent == pytest.approx(-75)


def test_order_and_useless_points_make_no_difference() -> None:
    test = line([2, 4, 8, 16], [30, 33, 36, 39])
    worse = line([3, 16, 20], [30, 38, 39])
    assert compared(ANCHOR[::-1], [*worse, *test[::-1]]) == compared(ANCHOR, test)


def test_useful_points() -> None:
    points = line([5, 1, 3, 3, 2], [0.5, 0.9, 0.6, 0.5, 0.95])
    assert useful_points(points, ERROR) == line([1, 3], [0.9, 0.5])
    with pytest.raises(ValueError, match="neither better nor worse"):
        useful_points(points, MEASURES["sharpness"])


def test_curves_apart() -> None:
    better = compared(ANCHOR, line([2, 4], [41, 42]))
    assert (better.status, better.percent, better.gap) == (Status.NO_OVERLAP, None, 2)
    worse = compared(ANCHOR, line([2, 4], [20, 29]))
    assert (worse.status, worse.gap) == (Status.NO_OVERLAP, -1)
    good, bad = line([1, 2], [0.02, 0.01]), line([1, 2], [0.06, 0.05])
    of_errors = rate_difference(bad, good, ERROR)
    assert of_errors is not None
    assert of_errors.gap == pytest.approx(0.03)
    touching = compared(ANCHOR, line([2, 4], [39, 42]))
    assert (touching.status, touching.gap) == (Status.NO_OVERLAP, 0)


def test_a_single_point() -> None:
    # Halfway between 30 and 33 dB the anchor needs the geometric mean of 4 and 8.
    difference = compared(ANCHOR, line([4, 5], [31.5, 31.0]))
    assert (difference.status, difference.points) == (Status.ONE_POINT, (4, 1))
    assert difference.percent == pytest.approx((4 / math.sqrt(32) - 1) * 100)
    other_way = compared(line([4], [31.5]), ANCHOR)
    assert other_way.percent == pytest.approx((math.sqrt(32) / 4 - 1) * 100)
    assert compared(ANCHOR, line([4], [29.0])).status is Status.NO_OVERLAP


def test_nothing_to_compare() -> None:
    assert rate_difference([], ANCHOR, PSNR) is None


def test_means_take_compared_clips_only() -> None:
    half = compared(ANCHOR, line([2, 4, 8, 16], [30, 33, 36, 39]))
    same = compared(ANCHOR, ANCHOR)
    apart = compared(ANCHOR, line([2, 4], [41, 42]))
    single = compared(ANCHOR, line([4], [31.5]))
    mean = mean_difference({"half": half, "same": same, "apart": apart, "single": single})
    assert mean.percent == pytest.approx(-25)
    assert (mean.clips, mean.left_out) == (2, 2)
    assert mean_difference({"apart": apart}).percent is None
    assert mean_difference({}).worst is None


def test_the_worst_clip() -> None:
    half = compared(ANCHOR, line([2, 4, 8, 16], [30, 33, 36, 39]))
    same = compared(ANCHOR, ANCHOR)
    better = compared(ANCHOR, line([2, 4], [41, 42]))
    worse = compared(ANCHOR, line([2, 4], [20, 29]))
    touching = compared(ANCHOR, line([2, 4], [39, 42]))
    clips = {"touching": touching, "better": better, "half": half, "same": same}
    assert mean_difference(clips).worst == ("same", same)
    assert mean_difference({**clips, "worse": worse}).worst == ("worse", worse)
    assert mean_difference({"better": better, "half": half}).worst == ("half", half)
    assert mean_difference({"touching": touching}).worst is None


def test_the_part_of_a_curve_within_rates() -> None:
    """ANCHOR rises 3 dB each time the rate doubles."""
    part = within(ANCHOR, PSNR, 8.0, math.sqrt(16 * 32))
    assert [point.kbps for point in part] == pytest.approx([8, 16, math.sqrt(16 * 32)])
    assert [point.value for point in part] == pytest.approx([33, 36, 37.5])
    errors = line([4, 8], [0.4, 0.2])
    assert within(errors, ERROR, math.sqrt(32), 100.0)[0].value == pytest.approx(0.3)
    assert within(ANCHOR, PSNR, 1.0, 100.0) == ANCHOR
    assert within(ANCHOR, PSNR, 33.0, 100.0) == []
    assert within(ANCHOR[:1], PSNR, 1.0, 3.0) == []
    assert [p.value for p in within(ANCHOR, PSNR, 9.0, 10.0)] == pytest.approx(
        [33 + 3 * math.log2(9 / 8), 33 + 3 * math.log2(10 / 8)]
    )
