"""The nodes of a control grid by which a drawn picture comes nearest to the source, for its bits.

Optical flow says where the source's pixels are drawn, and what a grid misses of that is a quadratic
function of its nodes. First come those of least squares, rounded. They are improved change by
change, whatever gains most of rate and distortion, until nothing does (rate-distortion optimised
quantisation). A change moves one node, or one of the differences that are coded and with it all
nodes that follow, so that parts that move alike come to be coded alike.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from gfvc.control_motion import face_mask, shares
from gfvc.stream.control_grids import (
    MOST_STEPS,
    GridShape,
    Nodes,
    coded_differences,
    none_negative,
)
from gfvc.stream.schedule import best_rice_parameter, rice_bits
from models.contract import Float32Array, FloatArray, IntegerArray, Picture
from models.landmarks.rest_motion import flow_and_trust

# Levels a pixel by which luma rises where flow counts in full.
FULL_SLOPE = 30.0
# What neighbouring nodes that differ by a pixel cost, and a node that moves by one, in pixels whose
# flow is missed by as much. The first only says where rounding starts.
SMOOTHNESS, SMALLNESS = 20.0, 0.5
# Each change gains, so they end; this bounds the time that motion of whole pictures may take.
_MOST_CHANGES = 2000


class FlowMiss(NamedTuple):
    """How badly nodes miss the flow of a picture, in mean squared pixels but for a constant.

    Of nodes n [count] along an axis that is n' `normal` n - 2 `wanted`' n.

    Attributes:
        normal: [count, count].
        wanted: [count, 2], across and down.
        smooth: nodes [count, 2] that miss little and differ little from their neighbours.
        longer: the longer side of the picture, in pixels.
        least: the mean squared pixels that the smooth nodes miss.
    """

    normal: FloatArray
    wanted: FloatArray
    smooth: FloatArray
    longer: int
    least: float


def flow_miss(
    shape: GridShape, source: Picture, drawn: Picture, landmarks: FloatArray | None
) -> FlowMiss:
    """Measure the flow from a source to what was drawn of it, both uint8 [H, W, 3].

    The face of the landmarks [478, 3] does not count; None where there is none.
    """
    greys = (
        np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.uint8) for each in (source, drawn)
    )
    flow, weights = _flow(*greys)
    height, width = weights.shape
    if landmarks is not None:
        weights = weights * (1 - face_mask(landmarks, width, height))
    down, across = shares(height, shape.rows), shares(width, shape.columns)
    count = shape.rows * shape.columns
    normal = np.einsum("yi,yk,yx,xj,xl->ijkl", down, down, weights, across, across, optimize=True)
    matrix = normal.reshape(count, count) + SMALLNESS * np.eye(count)
    flows = np.einsum("yi,yxc,xj->ijc", down, weights[..., None] * flow, across, optimize=True)
    wanted = flows.reshape(count, 2).astype(np.float64)
    smooth = np.linalg.solve(matrix + SMOOTHNESS * _roughness(shape), wanted)
    total = max(float(weights.sum()), 1.0)
    unmoved = float((weights[..., None] * flow**2).sum())
    least = unmoved + float((smooth * (matrix @ smooth - 2 * wanted)).sum())
    longer = max(width, height)
    return FlowMiss(matrix / total, wanted / total, smooth, longer, max(least, 0.0) / total)


def fitted(shape: GridShape, miss: FlowMiss, before: Nodes | None, multiplier: float) -> Nodes:
    """The nodes, in steps, of least flow missed and bits.

    Args:
        shape: of the grid.
        miss: how badly a picture's flow is missed.
        before: the grid that is coded before it, None for the first.
        multiplier: the Lagrangian multiplier: mean squared pixels that a bit may cost.
    """
    step = shape.step * miss.longer
    count = shape.rows * shape.columns
    known = np.zeros((count, 2), np.int64)
    if before is not None:
        known = shape.array(before).reshape(count, 2)
    start = np.rint(miss.smooth / step).astype(np.int64)
    start = np.clip(start, -MOST_STEPS, MOST_STEPS)
    changes = _changes(shape)
    codes = none_negative((start - known).T @ changes.coding.T).ravel().tolist()
    normal, wanted = step * step * miss.normal, step * miss.wanted
    nodes, best, least = start.copy(), start, np.inf
    # With fewer low bits, codes of what hardly moves are shorter, and nodes may become such.
    for low_bits in range(best_rice_parameter(codes, 3), -1, -1):
        cost = 0.0
        for axis in range(2):
            problem = _Problem(normal, wanted[:, axis], known[:, axis], multiplier, low_bits)
            nodes[:, axis] = _improved(changes, problem, nodes[:, axis])
            cost += problem.cost(changes, nodes[:, axis])
        if cost < least:
            best, least = nodes.copy(), cost
    return tuple(best.ravel().tolist())


class _Changes(NamedTuple):
    """Changes of nodes along an axis that are tried.

    Attributes:
        coding: [count, count], from nodes to what is coded of them.
        nodes: changes of nodes [m, count].
        coded: changes [m, count] of what is coded.
    """

    coding: IntegerArray
    nodes: IntegerArray
    coded: IntegerArray


@cache
def _changes(shape: GridShape) -> _Changes:
    count = shape.rows * shape.columns
    units = np.eye(count, dtype=np.int64).reshape(count, shape.rows, shape.columns, 1)
    coding = np.stack([coded_differences(unit).ravel() for unit in units], axis=1)
    of_differences = np.rint(np.linalg.inv(coding)).astype(np.int64).T
    of_nodes = np.eye(count, dtype=np.int64)
    raised = np.unique(np.concatenate([of_nodes, of_differences]), axis=0)
    both = np.concatenate([raised, -raised])
    return _Changes(coding, both, both @ coding.T)


class _Problem(NamedTuple):
    """What is to be least of nodes [count] along an axis, in steps.

    `known` are those that are coded before, `low_bits` is the Rice parameter.
    """

    normal: FloatArray
    wanted: FloatArray
    known: IntegerArray
    multiplier: float
    low_bits: int

    def cost(self, changes: _Changes, nodes: IntegerArray) -> float:
        """Missed flow and bits."""
        missed = float(nodes @ (self.normal @ nodes - 2 * self.wanted))
        codes = none_negative(changes.coding @ (nodes - self.known))
        return missed + self.multiplier * rice_bits(codes.tolist(), self.low_bits)


def _improved(changes: _Changes, problem: _Problem, start: IntegerArray) -> IntegerArray:
    """The nodes to which the changes lead that gain most, from a start on."""
    low_bits = problem.low_bits
    slopes = problem.normal @ changes.nodes.T
    squares = np.einsum("mi,im->m", changes.nodes, slopes)
    pulls = changes.nodes @ problem.wanted
    nodes = start
    coded = changes.coding @ (start - problem.known)
    for _ in range(_MOST_CHANGES):
        missed = 2 * (nodes @ slopes - pulls) + squares
        # The unary part of Rice codes; all else of them has as many bits whatever their values.
        longer = (none_negative(coded + changes.coded) >> low_bits).sum(axis=1)
        gains = missed + problem.multiplier * (longer - (none_negative(coded) >> low_bits).sum())
        gains[np.abs(nodes + changes.nodes).max(axis=1) > MOST_STEPS] = np.inf
        best = int(gains.argmin())
        if gains[best] >= 0:
            break
        nodes, coded = nodes + changes.nodes[best], coded + changes.coded[best]
    return nodes


def _flow(source: Picture, drawn: Picture) -> tuple[Float32Array, Float32Array]:
    """Where pixels of the source are drawn, in pixels [H, W, 2], and what they count [H, W]."""
    there, trust = flow_and_trust(source, drawn)
    across, down = (
        cv2.Sobel(source, cv2.CV_32F, dx, dy, scale=0.25) for dx, dy in ((1, 0), (0, 1))
    )
    slope = np.minimum(np.hypot(across, down) / np.float32(FULL_SLOPE), 1)
    return there, np.asarray(trust * slope, np.float32)


def _roughness(shape: GridShape) -> FloatArray:
    """The matrix of the sum of squared differences of neighbouring nodes: [count, count]."""
    count = shape.rows * shape.columns
    numbers = np.arange(count).reshape(shape.rows, shape.columns)
    matrix = np.zeros((count, count))
    for one, other in ((numbers[:, 1:], numbers[:, :-1]), (numbers[1:], numbers[:-1])):
        for a, b in zip(one.ravel(), other.ravel(), strict=True):
            matrix[[a, b], [a, b]] += 1
            matrix[[a, b], [b, a]] -= 1
    return matrix
