"""Plans: presets, variants, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from base_codec_adapters.errors import UnknownAdapterError
from gfvc.bench.plan import (
    PRESETS,
    GfvcSettings,
    PeerSettings,
    Plan,
    check_plan,
    parse_variant,
    preset,
)
from gfvc.default_model import BEST
from gfvc.errors import InputError


@pytest.mark.parametrize("name", PRESETS)
def test_presets_measure_the_default_model_beside_vvenc(name: str) -> None:
    plan = preset(name)
    check_plan(plan)
    points = plan.points()
    assert len(set(points)) == len(points)
    assert {point.model for point in points if isinstance(point, GfvcSettings)} == {BEST}
    peers = [point for point in points if isinstance(point, PeerSettings)]
    assert "vvenc" in {point.encoder for point in peers}
    assert bool(plan.missing) == (name == "jvet")
    plan.to_json()


def test_the_full_ladders_end_at_the_coarsest() -> None:
    peers = [point for point in preset("full").points() if isinstance(point, PeerSettings)]
    coarsest = {
        (point.encoder, point.reduction): max(
            other.quality
            for other in peers
            if (other.encoder, other.reduction) == (point.encoder, point.reduction)
        )
        for point in peers
    }
    assert coarsest == {
        ("vvenc", 1): 63, ("vvenc", 2): 63, ("x265", 1): 51, ("x265", 2): 51,
    }  # fmt: skip
    assert {(point.encoder, point.preset) for point in peers} == {
        ("vvenc", "medium"),
        ("x265", "veryslow"),
    }


def test_the_conditions_of_jvet() -> None:
    plan = preset("jvet")
    assert plan.key_qps == (22, 32, 42, 52)
    assert plan.structure == "low_delay"
    assert any("sequences" in sentence for sentence in plan.missing)
    assert any("VTM" in sentence for sentence in plan.missing)


def test_peers_are_chosen_by_name() -> None:
    assert {p.encoder for p in preset("quick", ["svtav1"]).peers} == {"svtav1"}
    assert preset("full", []).peers == ()
    with pytest.raises(UnknownAdapterError):
        preset("full", ["h261"])


def test_a_variant_is_a_curve_of_its_own() -> None:
    name, options = parse_variant("dense:key-interval=50,low_delay=true,base_encoder=vtm")
    assert (name, dict(options)) == (
        "dense",
        {"key_interval": 50, "low_delay": True, "base_encoder": "vtm"},
    )
    plan = replace(Plan(key_qps=(32,)), variants={"": (), name: options})
    plain, dense = (p for p in plan.points() if isinstance(p, GfvcSettings))
    assert dense.curve == f"{plain.curve} dense"
    encoding = dense.encode_options(128, Fraction(30))
    assert (encoding.key_interval, encoding.size, encoding.crop) == (50, 128, "none")
    assert encoding.key_qp == 32
    assert encoding.rate == Fraction(30)


@pytest.mark.parametrize(
    "text",
    [
        "dense",
        "dense:",
        ":key_interval=5",
        "a:key_qp=3",
        "a:nothing=1",
        "a:key_interval=0",
        "a:without=luck",
    ],
)
def test_bad_variants(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no option|is not NAME|cannot be"):
        parse_variant(text)


def test_a_variant_may_leave_decisions_out() -> None:
    _, options = parse_variant("plain:without=trellis+byte-filling")
    point = GfvcSettings("mesh", 32, "plain", options)
    assert set(point.encode_options(128, Fraction(30)).without) == {"trellis", "byte_filling"}
    json.dumps(point.to_json())


def test_plans_that_cannot_be() -> None:
    with pytest.raises(InputError, match="nothing to measure"):
        check_plan(Plan(models=()))
    with pytest.raises(InputError, match=r"QP 64: VVC has 0\.\.63"):
        check_plan(Plan(key_qps=(64,)))
    with pytest.raises(InputError, match="half of it must be even"):
        check_plan(Plan(size=66))
