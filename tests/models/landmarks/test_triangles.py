"""The surface between landmarks."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from models.landmarks import points as groups
from models.landmarks.face_space import shipped_face_space
from models.landmarks.triangles import (
    Triangles,
    eye_triangles,
    face_triangles,
    mouth_triangles,
)

HOLES = {
    frozenset(hole)
    for hole in (groups.RIGHT_EYE, groups.LEFT_EYE, groups.LIPS_INNER, groups.FACE_OVAL)
}


def rims(triangles: Triangles) -> set[frozenset[int]]:
    """Where a surface ends: points of each rim."""
    sides = Counter(frozenset(side) for t in triangles.tolist() for side in combinations(t, 2))
    assert max(sides.values()) == 2
    beside: dict[int, set[int]] = {}
    for side in (side for side, count in sides.items() if count == 1):
        for point in side:
            beside.setdefault(point, set()).update(side - {point})
    found = set()
    while beside:
        rim, waiting = set(), {next(iter(beside))}
        while waiting:
            point = waiting.pop()
            rim.add(point)
            waiting |= beside.pop(point) & beside.keys()
        found.add(frozenset(rim))
    return found


def test_the_face_has_holes_for_eyes_and_mouth() -> None:
    face = face_triangles()
    assert set(np.unique(face)) == set(range(groups.FACE_POINTS))
    assert rims(face) == HOLES


def test_they_are_closed_by_the_rest() -> None:
    whole = np.concatenate([face_triangles(), eye_triangles(), mouth_triangles()])
    assert rims(whole) == {frozenset(groups.FACE_OVAL)}


@pytest.mark.parametrize("triangles", [face_triangles, eye_triangles, mouth_triangles])
def test_all_go_round_alike(triangles: object) -> None:
    assert callable(triangles)
    found = triangles()
    sides = [(t[i], t[(i + 1) % 3]) for t in found.tolist() for i in range(3)]
    # Neighbours go along their edge in opposite directions.
    assert len(set(sides)) == len(sides)
    points = shipped_face_space().mean * (1, -1, -1)
    first, second, third = (points[found[:, corner]] for corner in range(3))
    # Counterclockwise for who looks at the face; two at the nostrils look back.
    assert (np.cross(second - first, third - first)[:, 2] > 0).mean() > 0.99
