"""Where a long clip is cut into parts that are coded apart.

A cut costs a key picture, but for one at a scene cut, where there is a key picture anyway. Any
choice is right: coded as a whole, with the same options, the clip starts anew at the same pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from gfvc.encoding.scene_changes import Glance, SceneCuts
from models.contract import Picture


def choose_restarts(
    pictures: Iterable[Picture], length: int, rate: Fraction
) -> tuple[tuple[int, ...], int]:
    """Numbers of pictures at which parts begin after the first, and how many pictures there are.

    Parts have about `length` pictures: half as many to half as many again. They begin at scene cuts
    where there is one in reach. There are `rate` pictures a second.
    """
    cuts = SceneCuts(rate)
    found: list[int] = []
    count = 0
    for number, picture in enumerate(pictures):
        if cuts.is_cut(Glance.at(picture)):
            found.append(number)
        count = number + 1
    return restarts_at(found, count, length), count


def restarts_at(cuts: Iterable[int], count: int, length: int) -> tuple[int, ...]:
    """The choice, when the scene cuts are known; see `choose_restarts`."""
    known = list(cuts)
    shortest = max(1, length // 2)
    restarts: list[int] = []
    start = 0
    while count - start >= length + shortest:
        reach = range(start + shortest, min(start + length + shortest, count - shortest) + 1)
        near = [cut for cut in known if cut in reach]
        wanted = start + length
        start = min(near, key=lambda cut: abs(cut - wanted)) if near else wanted
        restarts.append(start)
    return tuple(restarts)
