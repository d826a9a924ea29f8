"""Which curves are compared, and that clips are never pooled."""

from __future__ import annotations

import pytest

from gfvc.bench.comparison import compare, curves_of, rate_points
from gfvc.metrics import MEASURES
from tests.gfvc.bench.points import curve, point

ALL = (0.0, 1000.0)
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
    curves = curves_of(clip_points("a", 0.5))
    assert list(curves.ours) == ["gfvc mesh"]
    assert list(curves.peers) == ["vvenc", "vvenc half size"]
    assert curves.best == {"vvenc best": ("vvenc", "vvenc half size")}
    single = curves_of(curve("a", "x265", [1.0], [30.0]))
    assert (list(single.peers), single.best) == (["x265"], {})


def test_rates_are_averaged_over_clips() -> None:
    points = [*clip_points("a", 0.5), *clip_points("b", 0.25)]
    rows, means = compare(points, ["a", "b"], ALL)
    of_vvenc = {row["clip"]: row["percent"] for row in rows if row["anchor"] == "vvenc"}
    assert of_vvenc == {"a": pytest.approx(-50), "b": pytest.approx(-75)}
    (mean,) = [row for row in means if row["anchor"] == "vvenc"]
    assert (mean["measure"], mean["test"]) == ("psnr", "gfvc mesh")
    assert mean["percent"] == pytest.approx(-62.5)
    assert (mean["clips"], mean["left_out"]) == (2, 0)
    assert (mean["worst"]["clip"], mean["worst"]["percent"]) == ("a", pytest.approx(-50))


def test_the_best_of_a_peer_is_the_harder_anchor() -> None:
    rows, _ = compare(clip_points("a", 0.5), ["a"], ALL)
    percent = {row["anchor"]: row["percent"] for row in rows}
    assert percent["vvenc best"] > percent["vvenc"]


def test_the_best_of_a_peer_is_the_better_of_its_curves_at_each_quality() -> None:
    """A point of one curve is no reason to leave a better curve of another."""
    curves = curves_of(
        [
            *curve("a", "vvenc", [4.0, 16.0], [30.0, 36.0]),
            *curve("a", "vvenc half size", [2.0, 12.0], [27.0, 31.5]),
            *curve("a", "vvenc quarter size", [1.0], [26.0]),
        ]
    )
    best = curves.useful("vvenc best", MEASURES["psnr"], ALL)
    assert [point.value for point in best] == [26.0, 27.0, 30.0, 31.5, 36.0]
    expected = [1.0, 2.0, 4.0, 4.0 * 4 ** (1.5 / 6), 16.0]
    assert [point.kbps for point in best] == pytest.approx(expected)


def test_rates_count_within_bounds_only() -> None:
    """Where two curves cross, the bounds decide who is better."""
    points = [
        *curve("a", "vvenc", [1.0, 4.0, 16.0, 64.0], [24.0, 30.0, 36.0, 42.0]),
        *curve("a", "gfvc mesh", [1.0, 4.0, 16.0, 64.0], [27.0, 30.0, 33.0, 36.0]),
    ]
    percents = []
    for rates in ((1.0, 4.0), (4.0, 64.0), (1.0, 64.0)):
        rows, _ = compare(points, ["a"], rates)
        percents.append(rows[0]["percent"])
    low, high, whole = percents
    assert low < 0 < high
    assert low < whole < high


def test_missing_scores_are_left_out() -> None:
    points = [point("a", "x", 5.0, 30.0), point("a", "x", 25.0, 40.0)]
    assert [p.kbps for p in rate_points(points, MEASURES["psnr"])] == [5.0, 25.0]
    assert rate_points(points, MEASURES["vmaf"]) == []


def test_correlations_sharpness_and_seams_have_no_rates() -> None:
    scores = dict.fromkeys(MEASURES, 0.5)
    rates = [2.0, 4.0]
    points = [
        {**point("a", name, rate, 30.0), "scores": {k: v * rate for k, v in scores.items()}}
        for name in ("vvenc", "gfvc mesh")
        for rate in rates
    ]
    measures = {row["measure"] for row in compare(points, ["a"], ALL)[0]}
    assert set(MEASURES) - measures == {
        "lid_correlation", "lip_correlation", "seam", "sharpness", "source_sharpness",
    }  # fmt: skip


def test_a_variant_is_compared_with_its_model_too() -> None:
    rates = [4.0, 8.0, 16.0, 32.0]
    points = [
        *curve("a", "gfvc mesh", rates, QUALITIES),
        *curve("a", "gfvc face", rates, QUALITIES),
        *curve("a", "gfvc mesh sparse", [0.9 * rate for rate in rates], QUALITIES),
    ]
    rows, _ = compare(points, ["a"], ALL)
    (row,) = rows
    assert (row["anchor"], row["test"]) == ("gfvc mesh", "gfvc mesh sparse")
    assert row["percent"] == pytest.approx(-10)
