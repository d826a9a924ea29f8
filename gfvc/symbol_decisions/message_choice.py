"""Deciding which pictures get a message, and which parts it carries.

How a stream tells which have one is `gfvc.stream.schedule`.

The pictures between are interpolated, so a message is worth its bits where a straight line misses.
The choice is a shortest path over pictures: an edge from s to t stands for no message in between,
and costs what its pictures are off, plus the weighted bits of the message at t.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gfvc.symbol_decisions.code_lengths import header_bits
from gfvc.symbol_decisions.parts import PREDICTION_FLAG_BITS, Part
from models.contract import FloatArray

MAX_GAP = 48
"""Greatest distance of two messages in pictures."""

# SEI header, and on the mean half a byte to fill the last one; the code of the schedule.
_MESSAGE_OVERHEAD_BITS = 16 + 3.5 + 2
_ROUNDS = 4


def at_interval(pictures: int, interval: int) -> list[int]:
    """Pictures at an equal distance and the last one, from 0, the key picture."""
    sent = list(range(0, pictures, interval))
    return sent if sent[-1] == pictures - 1 else [*sent, pictures - 1]


def choose_pictures(parts: Sequence[Part], multiplier: float, *, separate: bool) -> list[list[int]]:
    """For each part the pictures whose message carries it, rising from 0.

    `separate` lets parts differ; what a message costs beside its parts is then paid by one of
    them, in turns until nothing changes.
    """
    pictures = parts[0].pictures
    edges = [_edge_costs(part, multiplier) for part in parts]
    # The average length of the counter will do: it differs by a few bits between pictures.
    overhead = multiplier * (_MESSAGE_OVERHEAD_BITS + header_bits(max(1, pictures // 4)))
    own = multiplier * PREDICTION_FLAG_BITS
    if not separate or len(parts) == 1:
        total = sum((edge for edge, _ in edges), np.zeros_like(edges[0][0]))
        tail = sum((tail for _, tail in edges), np.zeros(pictures))
        path = _shortest_path(total, tail, np.full(pictures, overhead + own * len(parts)))
        return [path for _ in parts]
    paths: list[list[int]] = [[0] for _ in parts]
    for _ in range(_ROUNDS):
        before = [list(path) for path in paths]
        for index, (edge, tail) in enumerate(edges):
            shared = {p for other, path in enumerate(paths) if other != index for p in path}
            costs = np.full(pictures, overhead + own)
            costs[list(shared)] = own
            paths[index] = _shortest_path(edge, tail, costs)
        if paths == before:
            break
    return paths


def _edge_costs(part: Part, multiplier: float) -> tuple[FloatArray, FloatArray]:
    """Cost [gap, start] of not sending between, and of the values; cost [start] of the tail."""
    pictures = part.pictures
    targets, weights = part.targets, part.weights
    gaps = min(MAX_GAP, pictures - 1)
    edges = np.full((gaps + 1, pictures), np.inf)
    for gap in range(1, gaps + 1):
        start, end = targets[:-gap], targets[gap:]
        cost = _value_costs(end - start, part, multiplier)
        for step in range(1, gap):
            inner = slice(step, step - gap)
            error = targets[inner] - start - (end - start) * (step / gap)
            cost += error**2 @ weights
        edges[gap, : pictures - gap] = cost
    return edges, _tail_costs(part)


def _tail_costs(part: Part) -> FloatArray:
    """What the pictures after each one are off when it has the last message: [pictures]."""
    targets, weights, pictures = part.targets, part.weights, part.pictures
    if part.end is not None:
        costs = np.zeros(pictures)
        for start in range(pictures - 1):
            share = (np.arange(1, pictures - start) / (pictures - start))[:, None]
            drawn = targets[start] + share * (part.end - targets[start])
            costs[start] = ((targets[start + 1 :] - drawn) ** 2 @ weights).sum()
        return costs
    # The sum over later pictures j of (x_s - x_j)², by sums over all that come after s.
    after = [
        np.concatenate([np.cumsum(rows[:0:-1], axis=0)[::-1], np.zeros((1, rows.shape[1]))])
        for rows in (np.ones_like(targets), targets, targets**2)
    ]
    tail = (targets**2 * after[0] - 2 * targets * after[1] + after[2]) @ weights
    tail_costs: FloatArray = np.maximum(tail, 0.0)
    return tail_costs


def _value_costs(differences: FloatArray, part: Part, multiplier: float) -> FloatArray:
    """What sending differences [n, values] costs, if small ones may be left out."""
    rounded = np.rint(differences)
    sent = (
        part.code_length(rounded.astype(np.int64)) * multiplier
        + (differences - rounded) ** 2 * part.weights
    )
    zero = part.code_length(np.zeros(1, np.int64))[0] * multiplier
    left_out = zero + differences**2 * part.weights
    total: FloatArray = np.minimum(sent, left_out).sum(axis=1)
    return total


def _shortest_path(edges: FloatArray, tail: FloatArray, message_costs: FloatArray) -> list[int]:
    gaps, pictures = len(edges) - 1, edges.shape[1]
    best = np.full(pictures, np.inf)
    best[0] = 0.0
    came_from = np.zeros(pictures, np.int64)
    for picture in range(1, pictures):
        gap = np.arange(1, min(gaps, picture) + 1)
        costs = best[picture - gap] + edges[gap, picture - gap]
        chosen = int(costs.argmin())
        best[picture] = costs[chosen] + message_costs[picture]
        came_from[picture] = picture - gap[chosen]
    picture = int((best + tail).argmin())
    path = [picture]
    while picture:
        picture = int(came_from[picture])
        path.append(picture)
    return path[::-1]
