"""Quantised values by code length and distortion: the Viterbi algorithm, for each value alone.

A state is an integer near the target; going from a state to one of the next message costs the
bits of their difference, and the distortion of the pictures between. Forney, "The Viterbi
algorithm", Proc. IEEE 61 (1973).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gfvc.symbol_decisions.parts import Part, distortion_between
from models.contract import IntegerArray

REACH = 3
"""Steps that a value may be away from its target."""


def nearest_values(part: Part, sent: Sequence[int]) -> IntegerArray:
    """Values [messages, values] rounded to nearest; the base message's as they are."""
    values: IntegerArray = np.rint(part.targets[list(sent)]).astype(np.int64)
    values[0] = part.base
    return values


def best_values(part: Part, sent: Sequence[int], multiplier: float) -> IntegerArray:
    """Values [messages, values] of the pictures `sent` that cost least; `sent` begins with 0."""
    count = part.targets.shape[1]
    offsets = np.arange(-REACH, REACH + 1)
    states = [part.base[:, None]]
    cost = np.zeros((count, 1))
    choices = []
    for start, end in pairwise(sent):
        centre = np.rint(part.targets[end]).astype(np.int64)
        state = centre[:, None] + offsets
        between = distortion_between(part, start, end)
        first = states[-1].astype(np.float64)[:, :, None]
        second = state.astype(np.float64)[:, None, :]
        bits = part.code_length(state[:, None, :] - states[-1][:, :, None])
        step = part.weights[:, None, None] * between.of(first, second) + multiplier * bits
        total = cost[:, :, None] + step
        choices.append(total.argmin(axis=1))
        cost = total.min(axis=1)
        # Sums of quadratic forms without their constants would grow with the clip.
        cost -= cost.min(axis=1, keepdims=True)
        states.append(state)
    tail = distortion_between(part, sent[-1], None)
    last = states[-1].astype(np.float64)
    cost = cost + part.weights[:, None] * tail.of(last, last)
    return _traced_back(states, choices, cost.argmin(axis=1))


def _traced_back(
    states: list[IntegerArray], choices: list[IntegerArray], final: IntegerArray
) -> IntegerArray:
    rows = np.arange(len(final))
    path = [final]
    for choice in reversed(choices):
        path.append(choice[rows, path[-1]])
    return np.stack(
        [state[rows, chosen] for state, chosen in zip(states, reversed(path), strict=True)]
    )
