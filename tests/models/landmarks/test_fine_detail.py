"""Fine detail of references, in pictures that are larger than models draw."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.contract import Float32Array, Picture
from models.landmarks.fine_detail import (
    BentDetail,
    FineDetail,
    enlarged,
    with_fine_detail,
    with_fine_detail_of_both,
)
from models.landmarks.flow import warp
from models.metrics.similarity import luma

SIDE = 64
FINE = 160
STILL = np.zeros((SIDE, SIDE, 2), np.float32)


def grain(seed: int) -> Picture:
    """Grey, with detail that a picture of `SIDE` loses."""
    levels = np.random.default_rng(seed).normal(128, 30, (FINE, FINE))
    grey = np.clip(cv2.GaussianBlur(levels, (0, 0), 0.6), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def reduced(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def apart(one: Picture, other: Picture) -> float:
    return float(np.abs(luma(one) - luma(other)).mean())


@pytest.fixture
def fine() -> Picture:
    return grain(1)


def test_what_is_drawn_as_it_is_comes_back_in_full(fine: Picture) -> None:
    drawn = reduced(fine)
    whole = with_fine_detail(drawn, [BentDetail(FineDetail(fine, drawn), drawn, STILL)])
    assert whole.shape == fine.shape
    assert apart(whole, fine) < 1
    assert apart(enlarged(drawn, (FINE, FINE)), fine) > 7


def test_detail_goes_where_the_reference_goes(fine: Picture) -> None:
    flow: Float32Array = STILL + np.array((10 / FINE, -5 / FINE), np.float32)
    small = reduced(fine)
    bent = warp(small, flow)
    whole = with_fine_detail(bent, [BentDetail(FineDetail(fine, small), bent, flow)])
    moved = np.roll(fine, (5, -10), (0, 1))
    inner = slice(24, FINE - 24)
    assert apart(whole[inner, inner], moved[inner, inner]) < 4
    assert apart(enlarged(bent, (FINE, FINE))[inner, inner], moved[inner, inner]) > 7


def test_what_is_drawn_otherwise_gets_no_detail_of_what_was_there(fine: Picture) -> None:
    small = reduced(fine)
    drawn = small.copy()
    drawn[:, : SIDE // 2] = (250, 90, 90)
    whole = with_fine_detail(drawn, [BentDetail(FineDetail(fine, small), small, STILL)])
    plain = enlarged(drawn, (FINE, FINE))
    left, right = slice(0, FINE // 2 - 20), slice(FINE // 2 + 20, FINE)
    assert apart(whole[:, left], plain[:, left]) < 0.5
    assert apart(whole[:, right], plain[:, right]) > 7


@pytest.mark.parametrize(("position", "nearer"), [(0.0, 0), (0.2, 0), (0.8, 1), (1.0, 1)])
def test_between_two_references_the_nearer_one_has_its_detail(
    fine: Picture, position: float, nearer: int
) -> None:
    """They are the same as far as models see, and differ in detail."""
    small = reduced(fine)
    flat = enlarged(small, (FINE, FINE))
    stripes = np.where(np.arange(FINE) % 4 < 2, 30, -30)[:, None, None]
    other = np.asarray(np.clip(flat + stripes, 0, 255), np.uint8)
    details = FineDetail(fine, small), FineDetail(other, small)
    whole = with_fine_detail_of_both(small, details, (small, small), (STILL, STILL), position)
    assert apart(whole, (fine, other)[nearer]) < 2
    assert apart(whole, (other, fine)[nearer]) > 7


def test_they_change_smoothly(fine: Picture) -> None:
    small = reduced(fine)
    flat = enlarged(small, (FINE, FINE))
    details = FineDetail(fine, small), FineDetail(flat, small)
    steps = [
        apart(
            with_fine_detail_of_both(small, details, (small, small), (STILL, STILL), position), flat
        )
        for position in np.linspace(0, 1, 11)
    ]
    assert steps == sorted(steps, reverse=True)
    assert max(-np.diff(steps)) < 0.5 * (steps[0] - steps[-1])
