"""Plans: presets, variants, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from base_codec_adapters.errors import ProgramNotFoundError, UnknownAdapterError
from base_codec_adapters.video import VIDEO_ENCODERS
from gfvc.bench.plan import (
    GfvcSettings,
    PeerSettings,
    Plan,
    check_plan,
    native,
    parse_variant,
    parse_variants,
    preset,
)
from gfvc.errors import InputError
from gfvc.options.benchmarking import PRESETS
from gfvc.options.encoding import DEFAULT_MODEL


@pytest.mark.parametrize("name", PRESETS)
def test_presets_measure_the_default_model_beside_vvenc(name: str) -> None:
    plan = preset(name)
    check_plan(plan)
    points = plan.points()
    assert len(set(points)) == len(points)
    assert {point.model for point in points if isinstance(point, GfvcSettings)} == {DEFAULT_MODEL}
    peers = [point for point in points if isinstance(point, PeerSettings)]
    assert "vvenc" in {point.encoder for point in peers}
    assert any("JVET" in sentence for sentence in plan.missing) == (name == "jvet")
    plan.to_json()


def test_the_full_ladders_end_at_the_coarsest_that_shows_anything() -> None:
    curves: dict[str, list[int]] = {}
    for peer in preset("full", ["vvenc", "x265", "svtav1"]).points():
        if isinstance(peer, PeerSettings):
            curves.setdefault(peer.curve, []).append(peer.quality)
    assert {name: max(qualities) for name, qualities in curves.items()} == {
        "vvenc": 63,
        "vvenc half rate": 63,
        "vvenc half size": 63,
        "vvenc half size half rate": 63,
        "vvenc quarter size": 47,
        "vvenc quarter size half rate": 47,
        "x265": 51,
        "svtav1": 63,
    }


def test_whole_pictures_are_coded_by_peers_at_whole_and_half_size() -> None:
    plan = preset("full", ["vvenc", "x265"], "whole")
    check_plan(plan)
    curves = {point.curve for point in plan.points() if isinstance(point, PeerSettings)}
    assert curves == {"vvenc", "vvenc half size", "x265", "x265 half size"}
    assert (plan.below_kbps, preset("full").below_kbps) == (60, 20)
    assert plan.source.whole_pictures
    assert not preset("full").source.whole_pictures
    asked = replace(plan, size=(640, 640)).to_json()
    assert (asked["view"], asked["size"]) == ("whole", [640, 640])


def test_whole_pictures_are_coded_as_they_are_handed_over() -> None:
    point = GfvcSettings("mesh", 32)
    options = point.encode_options("whole", (640, 358), Fraction(30))
    assert (options.whole_pictures, options.size) == (True, 358)


def test_what_was_measured_before_there_were_views_is_measured_still() -> None:
    """Names of points are made of this."""
    assert Plan(seconds=4.0).framing() == {"size": 256, "seconds": 4.0}
    assert Plan(size=128).framing() == {"size": 128, "seconds": None}
    assert Plan(view="whole").framing() != Plan().framing()


def test_native_peers_have_no_lower_sizes_and_rates() -> None:
    plan = preset("full", ["vvenc", "x265"])
    curves = {
        point.curve
        for point in replace(plan, peers=native(plan.peers)).points()
        if isinstance(point, PeerSettings)
    }
    assert curves == {"vvenc", "x265"}


def test_an_encoder_that_ffmpeg_lacks_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacking = replace(VIDEO_ENCODERS["svtav1"], library="libnothing")
    monkeypatch.setitem(VIDEO_ENCODERS, "svtav1", lacking)
    plan = preset("full")
    assert {peer.encoder for peer in plan.peers} == {"vvenc", "x265"}
    (sentence,) = plan.missing
    assert sentence.startswith("SVT-AV1 is left out: ")
    assert "has no encoder libnothing" in sentence
    # Who names it is told when the benchmark starts.
    assert {peer.encoder for peer in preset("full", ["svtav1"]).peers} == {"svtav1"}


def test_vmaf_is_left_out_where_ffmpeg_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise ProgramNotFoundError("ffmpeg has no libvmaf")

    assert preset("quick").vmaf
    monkeypatch.setattr("gfvc.bench.plan.find_vmaf", lacking)
    for name in PRESETS:
        plan = preset(name)
        assert not plan.vmaf
        assert "VMAF is left out: ffmpeg has no libvmaf" in plan.missing


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
    encoding = dense.encode_options("face", (128, 128), Fraction(30))
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
        "a:runtime=1",
        "a:restarts=[[1]]",
        "a:restarts=" + "[" * 5000,
        "a:" + "9" * 5000,
        "a:low_delay=maybe",
        "a:low_delay=1",
        "a:restarts=5+x",
    ],
)
def test_bad_variants(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no option|is not NAME|cannot be") as raised:
        parse_variant(text)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("word", ["true", "True", "on"])
def test_yes_and_no_in_the_words_of_users(word: str) -> None:
    [(_, yes), (_, no)] = parse_variants([f"a:low_delay={word}", "b:low_delay=False"]).items()
    assert (yes, no) == ((("low_delay", True),), (("low_delay", False),))


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'a' is the name of two"):
        parse_variants(["a:key_interval=2", "b:key_interval=2", "a:symbol_price=1"])
    with pytest.raises(ValueError, match="says key_interval twice"):
        parse_variant("a:key_interval=2,key-interval=3")


def test_lists_of_a_variant_can_be_looked_up() -> None:
    _, options = parse_variant("parts:restarts=50+75")
    assert dict(options) == {"restarts": (50, 75)}
    assert dict(parse_variant("parts:restarts=50")[1]) == {"restarts": (50,)}
    _, options = parse_variant("parts:restarts=[50]")
    assert hash(GfvcSettings("mesh", 32, "parts", options)) is not None
    assert dict(options) == {"restarts": (50,)}


def test_a_variant_may_leave_decisions_out() -> None:
    _, options = parse_variant("plain:without=trellis+byte-filling")
    point = GfvcSettings("mesh", 32, "plain", options)
    encoding = point.encode_options("face", (128, 128), Fraction(30))
    assert set(encoding.without) == {"trellis", "byte_filling"}
    json.dumps(point.to_json())


def test_plans_that_cannot_be() -> None:
    with pytest.raises(InputError, match="nothing to measure"):
        check_plan(Plan(models=()))
    with pytest.raises(InputError, match=r"QP 64: VVC has 0\.\.63"):
        check_plan(Plan(key_qps=(64,)))
    with pytest.raises(InputError, match="no rate lies above 20 and below 20"):
        check_plan(Plan(above_kbps=20.0))
