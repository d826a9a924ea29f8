"""Which pictures of a segment are coded: the way through it of least rate and distortion.

From a coded picture to the next one is a step: the pictures between are drawn, the next one costs
bits. All steps are estimated, which costs little, and the best way is a shortest path. Its steps
are measured, which costs more; then the estimates are corrected by what was measured, and the next
best way is looked for, until one is found of which all is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from models.contract import FloatArray

# What is not measured is thought a little better than estimated, so that it is looked at.
HOPE = 0.8

Measure = Callable[[int, int], float]
"""Distortion of the pictures drawn between two places, from 0 on."""


def choose_coded(
    estimates: FloatArray, costs: FloatArray, measure: Measure, most_measured: int
) -> list[int]:
    """Places of coded pictures, rising: the first, the last, and those between that pay.

    Args:
        estimates: distortion [n, n] of the pictures drawn from a place (row) to a later one.
        costs: [n, n] what coding the later one costs, in the unit of distortions; infinite where
            it cannot be the next one.
        measure: the distortion that is estimated, for sure; asked once for a step.
        most_measured: how many steps are measured at most.
    """
    measured: dict[tuple[int, int], float] = {}
    best: list[int] = []
    least = np.inf
    while True:
        way = _shortest(_corrected(estimates, measured) + costs)
        steps = list(pairwise(way))
        new = [step for step in steps if step not in measured]
        if len(measured) + len(new) > most_measured:
            return best or way
        measured.update((step, measure(*step)) for step in new)
        total = sum(measured[step] + float(costs[step]) for step in steps)
        if total < least:
            best, least = way, total
        if not new:
            return best


def _corrected(estimates: FloatArray, measured: dict[tuple[int, int], float]) -> FloatArray:
    """Estimates [n, n] in proportion to what was measured, with that in its places."""
    if not measured:
        return estimates
    places = tuple(np.array(list(measured)).T)
    values = np.array(list(measured.values()))
    estimated = float(estimates[places].sum())
    ratio = values.sum() / estimated if estimated > 0 else 1.0
    corrected = HOPE * ratio * estimates
    corrected[places] = values
    return corrected


def _shortest(lengths: FloatArray) -> list[int]:
    """The shortest way from the first to the last place, over steps of the lengths [n, n]."""
    count = len(lengths)
    totals = np.zeros(count)
    before = np.zeros(count, np.intp)
    for place in range(1, count):
        ways = totals[:place] + lengths[:place, place]
        before[place] = ways.argmin()
        totals[place] = ways[before[place]]
    way = [count - 1]
    while way[-1] > 0:
        way.append(int(before[way[-1]]))
    return way[::-1]
