"""Which curves are compared, and that clips are never pooled."""

from __future__ import annotations

import pytest

from gfvc.bench.comparison import compare, curves_of, rate_points
from gfvc.metrics import MEASURES
from tests.gfvc.bench.points import curve, point

QUALITIES = [30.0, 33.0, 36.0, 39.0]


def clip_points(clip: str, ratio: float) -> list[dict[str, object]]:
    """vvenc at whole and half size; gfvc at `ratio` times the rate of vvenc at whole size."""
    rates = [4.0, 8.0, 16.0, 32.0]
    return [
        *curve(clip, "vvenc", rates, QUALITIES),
        *curve(clip, "vvenc half size", [1.0, 3.0], [28.0, 31.0]),
        *curve(clip, "gfvc mesh", [ratio * rate for rate in rates], QUALITIES),
    ]


def test_every_curve_of_ours_meets_every_peer() -> None:
    ours, peers = curves_of(clip_points("a", 0.5))
    assert list(ours) == ["gfvc mesh"]
    assert list(peers) == ["vvenc", "vvenc half size", "vvenc best"]
    assert len(peers["vvenc best"]) == 6
    _, single = curves_of(curve("a", "x265", [1.0], [30.0]))
    assert list(single) == ["x265"]


def test_rates_are_averaged_over_clips() -> None:
    points = [*clip_points("a", 0.5), *clip_points("b", 0.25)]
    rows, means = compare(points, ["a", "b"], None)
    of_vvenc = {row["clip"]: row["percent"] for row in rows if row["anchor"] == "vvenc"}
    assert of_vvenc == {"a": pytest.approx(-50), "b": pytest.approx(-75)}
    (mean,) = [row for row in means if row["anchor"] == "vvenc"]
    assert (mean["measure"], mean["test"]) == ("psnr", "gfvc mesh")
    assert mean["percent"] == pytest.approx(-62.5)
    assert (mean["clips"], mean["left_out"]) == (2, 0)


def test_the_best_of_a_peer_is_the_harder_anchor() -> None:
    rows, _ = compare(clip_points("a", 0.5), ["a"], None)
    percent = {row["anchor"]: row["percent"] for row in rows}
    assert percent["vvenc best"] > percent["vvenc"]


def test_points_of_too_many_bits_and_missing_scores_are_left_out() -> None:
    points = [point("a", "x", 5.0, 30.0), point("a", "x", 25.0, 40.0)]
    assert [p.kbps for p in rate_points(points, MEASURES["psnr"], 20.0)] == [5.0]
    assert rate_points(points, MEASURES["vmaf"], None) == []


def test_a_variant_is_compared_with_its_model_too() -> None:
    rates = [4.0, 8.0, 16.0, 32.0]
    points = [
        *curve("a", "gfvc mesh", rates, QUALITIES),
        *curve("a", "gfvc face", rates, QUALITIES),
        *curve("a", "gfvc mesh sparse", [0.9 * rate for rate in rates], QUALITIES),
    ]
    rows, _ = compare(points, ["a"], None)
    (row,) = rows
    assert (row["anchor"], row["test"]) == ("gfvc mesh", "gfvc mesh sparse")
    assert row["percent"] == pytest.approx(-10)
