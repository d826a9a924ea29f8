"""Tolerances and verdicts of the comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.models.published.tiny import pictures, tiny_fomm
from tools.parity.comparison import Comparison, Verdict, compare
from tools.parity.observations import Observations, recorded


def one(
    name: str, golden: NDArray[Any], ours: NDArray[Any], *, zero_flow: bool = False
) -> Comparison:
    observations = Observations(zero_flow=zero_flow)
    observations.add(name, ours)
    (result,) = compare({name: golden}, observations)
    return result


@pytest.mark.parametrize(
    ("name", "magnitude", "limit"),
    [
        ("mid.mask", 0.5, 1e-4),
        ("mid.deformation", 28.0, 28e-4),
        ("src.feature", 2.0, 2e-4),
        ("src.kp_canonical", 0.5, 1e-4),
        ("codec.f1.decoded_kp", 0.5, 1e-4),
        ("src.kp", 2.0, 1e-5),
        ("drv.jacobian", 2.0, 1e-5),
        ("drv2.rot", 0.5, 1e-5),
        ("src.t", 0.5, 1e-5),
        ("src.exp", 0.5, 1e-5),
    ],
)
def test_limits(name: str, magnitude: float, limit: float) -> None:
    golden = np.array([0.0, -magnitude])
    for error, verdict in ((0.9 * limit, Verdict.OK), (1.1 * limit, Verdict.FAILED)):
        result = one(name, golden, golden + np.array([error, 0]))
        assert result.verdict is verdict
        assert result.limit == pytest.approx(limit)
        assert result.error == pytest.approx(error)


def test_symbols_and_test_pictures_are_exact() -> None:
    for name in ("codec.f1.symbols", "images_u8"):
        golden = np.array([3, 0], np.uint8)
        assert one(name, golden, golden).verdict is Verdict.OK
        assert one(name, golden, golden + np.uint8(1)).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("changed", "by", "verdict"),
    [(1, 1, Verdict.OK), (2, 1, Verdict.FAILED), (1, 2, Verdict.FAILED), (0, 0, Verdict.OK)],
)
def test_pictures_may_differ_by_one_in_a_thousandth(
    changed: int, by: int, verdict: Verdict
) -> None:
    golden = np.full(1000, 7, np.uint8)
    ours = golden.copy()
    ours[:changed] -= np.uint8(by)
    assert one("pred_float.u8", golden, ours).verdict is verdict


def test_zero_flow_has_a_limit_of_its_own_where_it_is_assumed() -> None:
    golden, ours = np.array([0.0019]), np.zeros(1)
    for name in ("mid.sparse_motion", "f3.sparse_motion", "farneback.flow"):
        assert one(name, golden, ours, zero_flow=True).verdict is Verdict.OK
        assert one(name, golden, ours).verdict is Verdict.FAILED


def test_not_a_number_fails() -> None:
    good, bad = np.zeros(2), np.array([0, np.nan])
    assert one("mid.mask", good, bad).verdict is Verdict.FAILED
    assert one("mid.mask", bad, good).verdict is Verdict.FAILED
    assert one("mid.mask", bad, bad).verdict is Verdict.FAILED


def test_another_shape_fails_even_if_it_broadcasts() -> None:
    result = one("mid.mask", np.zeros((1, 3)), np.zeros((3, 3)))
    assert result.verdict is Verdict.FAILED
    assert result.note == "shape (3, 3), golden (1, 3)"


@pytest.mark.parametrize("name", ["mid.novelty", "variant_novel_f3.u8", "mid.known.c7x", "known"])
def test_unknown_arrays_are_failures(name: str) -> None:
    observations = Observations()
    observations.add("mid.known", np.zeros((1, 8, 4, 4)), "bcyx")
    (result,) = compare({name: np.zeros(1)}, observations)
    assert result.verdict is Verdict.NOT_COMPARED
    assert result.verdict.is_failure


@pytest.mark.parametrize(
    "name",
    [
        "codec.f2.bytes",
        "codec.meta_list",
        "codec.meta_bytes",
        "codec.rounding_margin",
        "codec.f3.symbols",
        "pred_float.zero_flow_max_diff",
        "farneback.prev",
    ],
)
def test_arrays_that_are_no_targets_are_said_to_be_none(name: str) -> None:
    (result,) = compare({name: np.zeros(1)}, Observations())
    assert result.verdict is Verdict.NOT_A_TARGET
    assert result.note
    assert not result.verdict.is_failure


def test_listed_arrays_that_the_pack_lacks_are_reported() -> None:
    (result,) = compare({}, Observations(), listed=["pred_float.u8"])
    assert (result.name, result.verdict) == ("pred_float.u8", Verdict.ABSENT)


def test_suffixes_name_parts_of_arrays() -> None:
    observations = Observations()
    picture = np.arange(32 * 16 * 24).reshape(1, 32, 16, 24)
    volume = np.arange(2 * 6 * 8 * 8).reshape(1, 2, 6, 8, 8)
    observations.add("picture", picture, "bcyx")
    observations.add("volume", volume, "bcdyx")
    expected = {
        "picture": picture,
        "picture.c16": picture[:, ::16],
        "picture.s2": picture[:, :, 0::2, 1::2],
        "picture.c16s4": picture[:, ::16, 1::4, 2::4],
        "picture.c12s8": picture[:, ::12, 3::8, 5::8],
        "volume.d5": volume[:, :, ::5],
        "volume.c2d4s8": volume[:, ::2, ::4, 3::8, 5::8],
    }
    for name, part in expected.items():
        found = observations.find(name)
        assert found is not None
        assert np.array_equal(found, part)
    for name in (
        "picture.d5",
        "picture.s3",
        "picture.c0",
        "picture.",
        "other.c16",
        "picture.c2.s4",
    ):
        assert observations.find(name) is None


def test_picture_parts_and_statistics() -> None:
    prediction = pictures(256)[0]
    observations = Observations()
    observations.add_picture("p", prediction)
    picture = prediction[0].numpy()
    expected = {
        "p.u8": np.floor(255 * picture).astype(np.uint8),
        "p.stride4": picture[:, 1::4, 2::4],
        "p.crop": picture[:, 100:148, 90:138],
        "p.corner": picture[:, 0:24, 0:24],
    }
    for name, part in expected.items():
        found = observations.find(name)
        assert found is not None
        assert np.array_equal(found, part)
    statistics = observations.find("p.stats")
    assert statistics is not None
    exact = picture.astype(np.float64)
    assert statistics == pytest.approx([exact.mean(), exact.std(), exact.min(), exact.max()])


def test_observations_refuse_a_name_twice_and_a_wrong_layout() -> None:
    observations = Observations()
    observations.add("a", np.zeros((1, 2)), "bc")
    with pytest.raises(ValueError, match="a: name taken"):
        observations.add("a", np.zeros((1, 2)))
    with pytest.raises(ValueError, match="layout 'bcyx'"):
        observations.add("b", np.zeros((1, 2)), "bcyx")


def test_recorded_outputs_are_those_of_the_submodules() -> None:
    network = tiny_fomm().kp_detector
    picture = pictures(128)[0]
    with recorded(network, ["down", "kp"]) as seen:
        network(picture)
    assert torch.equal(seen["down"], network.down(picture))
    assert seen["kp"].shape[1] == 3
    seen.clear()
    network(picture)
    assert not seen, "the hooks must be gone"
