"""Nodes of control grids: near the flow, for few bits."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest

from gfvc.encoding.grid_fitting import FlowMiss, fitted, flow_miss
from gfvc.stream.control_grids import MOST_STEPS, GridShape, Nodes, SequenceGrids
from models.contract import FloatArray, Picture
from models.landmarks.points import FACE_OVAL

SHAPE = GridShape(4, 3, 2)
SIDES = (320, 192)
STEP = SHAPE.step * max(SIDES)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def miss_of(smooth: FloatArray, normal: FloatArray | None = None) -> FlowMiss:
    """What is least at nodes [12, 2] in pixels."""
    normal = np.eye(12) / 12 if normal is None else normal
    return FlowMiss(normal, normal @ smooth, smooth, max(SIDES), 0.0)


def cost(miss: FlowMiss, nodes: Nodes, before: Nodes | None, multiplier: float) -> float:
    """Missed flow and bits, as a sequence would have them."""
    moved = SHAPE.array(nodes).reshape(12, 2) * STEP
    missed = float((moved * (miss.normal @ moved - 2 * miss.wanted)).sum())
    given = () if before is None else (before,)
    bits = SequenceGrids(SHAPE, ((*given, nodes),)).bits
    return missed + multiplier * bits


def window(shift: float) -> Picture:
    noise = np.random.default_rng(5).integers(0, 255, (12, 20, 3), np.uint8)
    wall = cv2.resize(noise, (SIDES[0] + 64, SIDES[1]), interpolation=cv2.INTER_CUBIC)
    matrix = np.array([[1, 0, -32 - shift], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(wall, matrix, SIDES, flags=cv2.INTER_CUBIC), np.uint8)


def test_flow_is_measured_in_pixels() -> None:
    miss = flow_miss(SHAPE, window(4), window(0), None)
    assert miss.longer == 320
    # What the source shows is read 4 pixels to the right of where it is.
    assert miss.smooth.mean(axis=0) == pytest.approx([4, 0], abs=0.5)
    assert 0 <= miss.least < 1


def test_the_face_does_not_count() -> None:
    face = np.full((478, 3), 0.5)
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    face[list(FACE_OVAL), :2] += 0.4 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    drawn = window(0)
    drawn[48:-48, 80:-80] = window(6)[48:-48, 80:-80]
    whole = flow_miss(SHAPE, window(0), drawn, None)
    beside = flow_miss(SHAPE, window(0), drawn, face)
    assert np.abs(beside.smooth).max() < 0.3 * np.abs(whole.smooth).max()


def test_where_bits_cost_nothing_nodes_are_the_nearest(rng: np.random.Generator) -> None:
    smooth = rng.uniform(-9, 9, (12, 2))
    nodes = SHAPE.array(fitted(SHAPE, miss_of(smooth), None, 0.0)).reshape(12, 2)
    assert np.array_equal(nodes, np.rint(smooth / STEP).astype(int))


def test_where_bits_are_dear_nothing_moves(rng: np.random.Generator) -> None:
    nodes = fitted(SHAPE, miss_of(rng.uniform(-9, 9, (12, 2))), None, 1e6)
    assert nodes == (0,) * 24


def test_where_bits_are_dear_a_grid_is_the_one_before(rng: np.random.Generator) -> None:
    before = tuple(rng.integers(-9, 9, 24).tolist())
    assert fitted(SHAPE, miss_of(rng.uniform(-9, 9, (12, 2))), before, 1e6) == before


@pytest.mark.parametrize("multiplier", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("has_before", [False, True])
def test_neither_rounding_nor_a_single_node_is_better(
    rng: np.random.Generator, multiplier: float, has_before: bool
) -> None:
    mixing = rng.normal(size=(12, 12))
    miss = miss_of(rng.normal(size=(12, 2)) * 3, mixing @ mixing.T / 40 + np.eye(12) / 12)
    before = tuple(rng.integers(-3, 3, 24).tolist()) if has_before else None
    nodes = fitted(SHAPE, miss, before, multiplier)
    rounded = tuple(np.rint(miss.smooth / STEP).astype(int).ravel().tolist())
    least = cost(miss, nodes, before, multiplier)
    assert least < cost(miss, rounded, before, multiplier)
    for number, step in product(range(24), (-1, 1)):
        changed = (*nodes[:number], nodes[number] + step, *nodes[number + 1 :])
        assert least < cost(miss, changed, before, multiplier)


def test_noise_is_not_sent(rng: np.random.Generator) -> None:
    """Half of the picture moves by 4 pixels; what else seems to move costs more than it says."""
    smooth = np.zeros((3, 4, 2))
    smooth[:, 2:, 0] = 4.0
    moving = tuple(np.rint(smooth / STEP).astype(int).ravel().tolist())
    seen = miss_of((smooth + rng.normal(size=smooth.shape) * 0.4 * STEP).reshape(12, 2))
    rounded = tuple(np.rint(seen.smooth / STEP).astype(int).ravel().tolist())
    nodes = fitted(SHAPE, seen, None, 0.05)
    assert SequenceGrids(SHAPE, ((nodes,),)).bits < 0.8 * SequenceGrids(SHAPE, ((rounded,),)).bits
    assert SHAPE.array(nodes) * STEP == pytest.approx(SHAPE.array(moving) * STEP, abs=1.01 * STEP)


@pytest.mark.parametrize("price", [0.0, 0.01])
def test_no_displacement_is_longer_than_can_be_sent(price: float) -> None:
    smooth = np.full((12, 2), 2.0 * MOST_STEPS * STEP)
    smooth[::2] *= -1
    nodes = fitted(SHAPE, miss_of(smooth), None, price)
    assert max(map(abs, nodes)) == MOST_STEPS
    SequenceGrids(SHAPE, ((nodes,),))
