"""Flicker at equal bits."""

from __future__ import annotations

import pytest

from benchmarks.flicker import lines, ratios
from tests.gfvc.bench.points import point

POINTS = [
    point("a", "gfvc face", 4, 30, flicker=1.2, ms_ssim=0.95),
    point("a", "gfvc face", 40, 33, flicker=1.0, ms_ssim=0.97),
    # Half-way between two points, by the logarithm of the rate.
    point("a", "vvenc", 2, 28, flicker=0.5, ms_ssim=0.80),
    point("a", "vvenc", 8, 32, flicker=1.1, ms_ssim=0.92),
    # A smear flickers less, and does not count.
    point("a", "vvenc half size", 2, 27, flicker=0.1, ms_ssim=0.70),
    point("a", "vvenc half size", 8, 29, flicker=0.1, ms_ssim=0.75),
    # This has no such rate.
    point("a", "vvenc half rate", 5, 30, flicker=2.0, ms_ssim=0.99),
    point("a", "vvenc half rate", 9, 31, flicker=2.0, ms_ssim=0.99),
]


def test_it_is_over_that_of_the_curve_with_the_best_pictures() -> None:
    (found,) = ratios(POINTS, 3, 15)
    assert found.kbps == 4
    assert found.ratio == pytest.approx(1.2 / 0.8)
    assert found.peer == "vvenc"
    assert ratios(POINTS, 5, 15) == []


def test_clips_count_alike() -> None:
    other = [{**each, "clip": "b"} for each in POINTS[2:4]]
    other += [
        point("b", "gfvc face", kbps, 30, flicker=flicker, ms_ssim=0.9)
        for kbps, flicker in ((2, 0.5), (8, 1.1))
    ]
    results = {"clips": [{"id": "a"}, {"id": "b"}, {"id": "c"}], "points": [*POINTS, *other]}
    *rows, mean = lines(results, 1, 15)
    assert rows[2] == "| a | 1.50 | 4.0: 1.50 (vvenc) |"
    assert rows[3] == "| b | 1.00 | 8.0: 1.00 (vvenc), 2.0: 1.00 (vvenc) |"
    assert "no point" in rows[4]
    assert mean == "| mean | 1.25 | |"
