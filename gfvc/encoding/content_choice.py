"""Choosing the coded pictures of a segment by what its pictures show."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gfvc.encoding.coded_choice import choose_coded
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.segments import ChooseCoded, Segment
from gfvc.encoding.sketches import Sketches
from gfvc.rate_control import RateSettings
from models import Analyser
from models.contract import FloatArray

# Pictures that may be coded are so many seconds apart, or less where many are coded.
STEP_SECONDS = 0.12
# Steps that are measured at most, over the pictures of a segment. A step takes three sketches.
MEASURED_SHARE = 2 / 3
# Bits of a predicted picture at a quantisation parameter of 42, and for each level of root mean
# squared difference from the picture before it; they halve for so many steps of the parameter.
# Fitted to pictures of validation clips.
BITS, BITS_OF_CHANGE, FITTED_QP, STEPS_PER_HALVING = 470.0, 47.0, 42, 5.8


def by_content(
    pictures: PictureStore, analyser: Analyser, rate: Fraction, settings: RateSettings
) -> ChooseCoded:
    """Coded pictures where they pay: more where a face moves, fewer where it is still.

    It pays by the Lagrangian multiplier `coded_price` of the settings.
    """
    price, qp = settings.coded_price, settings.coded_qp
    assert price is not None
    assert qp is not None
    step_seconds = min(STEP_SECONDS, settings.coded_seconds or STEP_SECONDS)

    def choose(segment: Segment) -> list[int]:
        following = segment.pictures[segment.pictures.index(segment.key) :]
        landmarks = {number: analyser.landmarks(pictures[number]) for number in following}
        usable = [
            number not in segment.faceless and landmarks[number] is not None for number in following
        ]
        usable[0] = True
        places = _places(usable, max(1, round(step_seconds * float(rate))))
        if len(places) == 1 or landmarks[segment.key] is None:
            return [segment.key]
        sketches = Sketches(pictures, following, landmarks)
        seconds = 1 / float(rate)
        chosen = choose_coded(
            seconds * sketches.estimates(places),
            price / 1000 * bits_of_coded(sketches.changes(places), qp),
            lambda one, other: seconds * sketches.distortion(places[one], places[other]),
            int(MEASURED_SHARE * len(following)),
        )
        return [following[places[index]] for index in chosen]

    return choose


def bits_of_coded(changes: FloatArray, qp: int) -> FloatArray:
    """Bits of predicted pictures that differ so from those before them (`Sketches.changes`)."""
    at_fitted = BITS + BITS_OF_CHANGE * changes
    bits: FloatArray = at_fitted * np.exp2((FITTED_QP - qp) / STEPS_PER_HALVING)
    return bits


def _places(usable: list[bool], step: int) -> list[int]:
    """Places about so many pictures apart, that can be used: the first, the last, and between."""
    last = max(place for place, good in enumerate(usable) if good)
    count = max(1, round(last / step))
    wanted = sorted({round(last * index / count) for index in range(count + 1)})
    return [place for place in wanted if usable[place]]
