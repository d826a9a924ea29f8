"""Which points stand side by side, and which pictures are the worst."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gfvc.bench.records import Point
from gfvc.metrics import MEASURES
from gfvc.report.bench_run import RateRow
from gfvc.report.choices import comparisons, nearest, worst_pictures, worst_rates

ERROR, SSIM = MEASURES["landmark_error"], MEASURES["face_ssim"]


def made(curve: str, bits: int) -> Point:
    return Point(
        clip="a",
        curve=curve,
        label=f"at {bits}",
        encoder=None if curve.startswith("gfvc") else curve.split()[0],
        bits=bits,
        kbps=bits / 1000,
        scores={},
        faces_lost=0,
        encode_seconds=1.0,
        decode_seconds=1.0,
        picture_scores={},
        picture_bits=None,
        picture_bits_of={},
        video=Path("x.mp4"),
    )


def test_the_most_equal_comparison_of_each_curve_comes_first() -> None:
    points = [
        made("gfvc mesh", 1000),
        made("gfvc mesh", 3900),
        made("gfvc face", 2000),
        made("vvenc", 8000),
        made("vvenc half size", 4000),
        made("x265", 1000),
    ]
    chosen = comparisons(points)
    assert [each.ours.name for each in chosen] == [
        "gfvc mesh at 3900",
        "gfvc face at 2000",
        "gfvc mesh at 1000",
    ]
    # x265 is nearer to the last, but VVenC is what all are compared with.
    assert {each.peer.name for each in chosen if each.peer} == {"vvenc half size at 4000"}
    assert chosen[0].bits_ratio == pytest.approx(4000 / 3900)


def test_nearness_is_a_ratio_of_bits() -> None:
    ours = made("gfvc mesh", 2000)
    few, many = made("vvenc", 1000), made("vvenc", 3500)
    assert nearest(ours, [few, many]) is many  # 1.75 times, not 2 times
    twice = replace(many, bits=4000)
    assert nearest(ours, [twice, few]) is few  # as near, with fewer bits
    assert nearest(ours, []) is None


def test_other_encoders_stand_in_for_vvenc() -> None:
    (comparison,) = comparisons([made("gfvc mesh", 1000), made("x265", 5000)])
    assert comparison.peer is not None
    assert comparison.peer.curve == "x265"
    (alone,) = comparisons([made("gfvc mesh", 1000)])
    assert (alone.peer, alone.bits_ratio) == (None, 1.0)
    assert comparisons([made("x265", 5000)]) == []


def test_worst_pictures_are_apart() -> None:
    errors = [None, 0.1, 0.9, 0.8, 0.2, 0.3, None, 0.5]
    assert worst_pictures(errors, ERROR, 3, 1) == [2, 3, 7]
    assert worst_pictures(errors, ERROR, 3, 2) == [2, 7, 5]
    assert worst_pictures(errors, SSIM, 2, 1) == [1, 4]
    assert worst_pictures(errors, ERROR, 9, 4) == [2, 7]
    assert worst_pictures([None, None], ERROR, 3, 1) == []
    with pytest.raises(ValueError, match="neither better nor worse"):
        worst_pictures(errors, MEASURES["sharpness"], 1, 1)


def test_of_peers_with_about_as_many_bits_the_best_is_shown() -> None:
    ours = made("gfvc mesh", 1000)
    near = replace(made("vvenc quarter size", 1001), scores={"ms_ssim": 0.80})
    better = replace(made("vvenc half size", 1090), scores={"ms_ssim": 0.90})
    more = replace(made("vvenc", 1110), scores={"ms_ssim": 0.95})
    assert nearest(ours, [near, better, more]) == better
    assert nearest(ours, [near, replace(better, scores={}), more]) == near
    assert nearest(ours, [replace(near, bits=1200), more]) == more


def test_the_worst_rate_of_each_two_curves() -> None:
    rows = [
        RateRow("a", measure, anchor, "gfvc", percent, "", rank)
        for measure, anchor, percent, rank in (
            ("psnr", "vvenc", -50.0, (0, -50.0)),
            ("ssim", "vvenc", -20.0, (0, -20.0)),
            ("vmaf", "vvenc", None, None),
            ("psnr", "x265", 300.0, (0, 300.0)),
            ("flicker", "x265", None, (1, 0.5)),
            ("lpips", "x265", None, (1, 0.1)),
            ("dists", "x265", None, (-1, -0.5)),
            ("vmaf", "svtav1", None, None),
        )
    ]
    assert [(row.anchor, row.measure) for row in worst_rates(rows)] == [
        ("vvenc", "ssim"),
        ("x265", "flicker"),
        ("x265", "lpips"),
    ]
