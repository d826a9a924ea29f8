"""Corrections of tracked faces that are found in some pictures, and serve for those between.

What alignment corrects is how a tracker's landmarks lie beside the skin that they stand for. That
changes slowly, and to find it takes much of an encoder's time. So it is found now and then, and
changes linearly in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from models.contract import FloatArray, Picture

EVERY = 3
"""Of so many successive pictures with a face, a correction is found in one."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A picture with the landmarks [478, 3] tracked in it, None where there is no face.

    Its correction is to be found if it is `due`.
    """

    picture: Picture
    landmarks: FloatArray | None
    due: bool


@dataclass(frozen=True, slots=True)
class Valued:
    """A picture with the values of its tracked face, None without one, and their correction.

    The correction is None where none was found.
    """

    picture: Picture
    values: FloatArray | None
    correction: FloatArray | None = None


def with_some_due(tracked: Iterable[tuple[Picture, FloatArray | None]]) -> Iterator[Tracked]:
    """Successive pictures with their landmarks: the first and last with a face are due, too."""
    since = 0
    for seen, following in pairwise(chain(tracked, [None])):
        assert seen is not None
        picture, landmarks = seen
        if landmarks is None:
            since = 0
            yield Tracked(picture, None, due=False)
            continue
        is_last = following is None or following[1] is None
        yield Tracked(picture, landmarks, due=is_last or since % EVERY == 0)
        since += 1


def spread(found: Iterable[Valued]) -> Iterator[Valued]:
    """The pictures in order, each that has a face with a correction.

    What is found before and after changes into each other linearly. Pictures wait for what comes
    after, no more of them than are between two that were due.
    """
    before: FloatArray | None = None
    waiting: list[Valued] = []
    for one in found:
        if one.values is not None and one.correction is None:
            waiting.append(one)
            continue
        yield from _between(waiting, before, one.correction)
        waiting.clear()
        before = one.correction
        yield one
    yield from _between(waiting, before, None)


def _between(
    waiting: list[Valued], before: FloatArray | None, after: FloatArray | None
) -> Iterator[Valued]:
    first = after if before is None else before
    last = before if after is None else after
    for place, one in enumerate(waiting, 1):
        if first is None or last is None:
            yield one
            continue
        share = place / (len(waiting) + 1)
        yield Valued(one.picture, one.values, first + share * (last - first))
