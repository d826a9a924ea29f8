"""Which pictures of a segment are coded: at equal distances, or where that pays.

By what they show, it is the way through the segment of least rate and distortion. From a coded
picture to the next one is a step: the pictures between are drawn, the next one costs bits. All
steps are estimated, which costs little, and the best way is a shortest path. Its steps are
measured, which costs more; then the estimates are corrected by what was measured, and the next
best way is looked for, until one is found of which all is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from gfvc.encoding.captions import caption_changes
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.segments import ChooseCoded, Segment
from gfvc.encoding.sketches import Sketches
from gfvc.rate_control.ladder import RateSettings
from models import Analyser
from models.contract import FloatArray
from models.parallel import map_in_order

# Pictures that may be coded are so many seconds apart: each of 25 a second, every other one of 50.
STEP_SECONDS = 0.04
# Steps that are measured at most, over the pictures of a segment. A step takes three sketches.
MEASURED_SHARE = 2 / 3
# Bits of a predicted picture at a quantisation parameter of 42, and for each level of root mean
# squared difference from the picture before it; they halve for so many steps of the parameter.
# Fitted to pictures of validation clips.
BITS, BITS_OF_CHANGE, FITTED_QP, STEPS_PER_HALVING = 470.0, 47.0, 42, 5.8
# The multiplier is no larger than this for whole pictures: beside the face nothing is drawn, so
# what is coded too rarely is wrong nearly everywhere.
MOST_OF_WHOLES = 0.05
# What is not measured is thought a little better than estimated, so that it is looked at.
HOPE = 0.8

StepDistortion = Callable[[int, int], float]
"""Distortion of the pictures drawn between two places, from 0 on; several threads may ask."""


def at_distance(distance: float) -> ChooseCoded:
    """Coded pictures about so many pictures apart, at equal distances, the last one too.

    Where there is no face, the picture before or after serves.
    """

    def choose(segment: Segment) -> list[int]:
        following = segment.pictures[segment.pictures.index(segment.key) :]
        last = len(following) - 1
        if last == 0:
            return [segment.key]
        count = min(last, max(1, round(last / distance)))
        wanted = (following[round(last * index / count)] for index in range(1, count + 1))
        return [segment.key, *(number for number in wanted if number not in segment.faceless)]

    return choose


def by_content(
    pictures: PictureStore,
    analysers: Sequence[Analyser],
    rate: Fraction,
    settings: RateSettings,
) -> ChooseCoded:
    """Coded pictures where they pay: more where a face moves, fewer where it is still.

    There is one of `analysers` for each place where the face may be. It pays by the Lagrangian
    multiplier `coded_price` of the settings. Where no landmarks are found in the key picture, coded
    pictures are at equal distances.
    """
    wanted, qp, seconds_apart = settings.coded_price, settings.coded_qp, settings.coded_seconds
    assert wanted is not None
    assert qp is not None
    assert seconds_apart is not None
    evenly = at_distance(seconds_apart * float(rate))
    step_seconds = min(STEP_SECONDS, seconds_apart)

    def choose(segment: Segment) -> list[int]:
        analyser = analysers[segment.place]
        following = segment.pictures[segment.pictures.index(segment.key) :]
        # The whole segment was seen before: the face to follow is the key picture's, not the last.
        analyser.look_again(pictures[segment.key])
        landmarks = {number: analyser.landmarks(pictures[number]) for number in following}
        if landmarks[segment.key] is None:
            # It was planned as one with a face: nothing can be sketched, and that says nothing of
            # what pays.
            return evenly(segment)
        usable = [
            number not in segment.faceless and landmarks[number] is not None for number in following
        ]
        usable[0] = True
        key = pictures[segment.key]
        of_wholes = analyser.face_picture(key) is not key
        changes: list[int] = []
        if of_wholes:
            changes = [
                place
                for place in _caption_changes(pictures, segment)
                if usable[place - 1] and usable[place]
            ]
        places = _places(usable, max(1, round(step_seconds * float(rate))), changes)
        if len(places) == 1:
            return [segment.key]
        multiplier = min(wanted, MOST_OF_WHOLES) if of_wholes else wanted
        sketches = Sketches(pictures, following, landmarks, analyser.face_picture)
        seconds = 1 / float(rate)
        costs = multiplier / 1000 * bits_of_coded(sketches.changes(places), qp)
        chosen = choose_coded(
            seconds * sketches.estimates(places),
            costs + _not_across(places, changes),
            lambda one, other: seconds * sketches.distortion(places[one], places[other]),
            int(MEASURED_SHARE * len(following)),
        )
        return [following[places[index]] for index in chosen]

    return choose


def _caption_changes(pictures: PictureStore, segment: Segment) -> list[int]:
    """Where captions come and go behind the key picture, in places from it on."""
    key = segment.pictures.index(segment.key)
    changes = caption_changes((pictures[number] for number in segment.pictures), at_rims=True)
    return [place - key for place in changes if place > key]


def bits_of_coded(changes: FloatArray, qp: int) -> FloatArray:
    """Bits of predicted pictures that differ so from those before them (`Sketches.changes`).

    They are of 256x256 samples. Those of larger pictures are counted as so many, too: more is at
    stake in them.
    """
    at_fitted = BITS + BITS_OF_CHANGE * changes
    bits: FloatArray = at_fitted * np.exp2((FITTED_QP - qp) / STEPS_PER_HALVING)
    return bits


def _not_across(places: list[int], changes: list[int]) -> FloatArray:
    """0 for steps between places, infinite for those with pictures from both sides of a change."""
    one, other = np.array(places)[:, None], np.array(places)[None, :]
    costs = np.zeros((len(places), len(places)))
    for change in changes:
        across = (one < change) & (other >= change)
        costs[across & ~((one == change - 1) & (other == change))] = np.inf
    return costs


def _places(usable: list[bool], step: int, changes: list[int]) -> list[int]:
    """Places about so many pictures apart, that can be used: the first, the last, and between.

    Those on both sides of changes are among them.
    """
    last = max(place for place, good in enumerate(usable) if good)
    count = max(1, round(last / step))
    wanted = sorted(
        {round(last * index / count) for index in range(count + 1)}
        | {place - before for place in changes for before in (0, 1)}
    )
    return [place for place in wanted if usable[place]]


def choose_coded(
    estimates: FloatArray, costs: FloatArray, measure: StepDistortion, most_measured: int
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
        measured.update(zip(new, map_in_order(lambda step: measure(*step), new), strict=True))
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
