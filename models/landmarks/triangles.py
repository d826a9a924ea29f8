"""Triangles between landmarks: the surface of a face, as a renderer wants it.

The topology is that of MediaPipe Face Mesh, which tells the edges. Mouth and eyes are holes in it;
`mouth_triangles` and `eye_triangles` close them. Irises belong to no triangle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from models.landmarks.points import LEFT_EYE, LIPS_INNER, RIGHT_EYE
from models.landmarks.tracking import load_solutions

Triangles = npt.NDArray[np.int64]
"""Numbers of points [N, 3], counterclockwise for who looks at the face."""

# On the ridge of the nose: the tip, and two points above it.
_SEEN_FROM_OUTSIDE = (1, 4, 44)


@cache
def face_triangles() -> Triangles:
    """The surface of the face [852, 3], without eyes and mouth.

    Raises `FaceTrackerError` when the library that knows its edges cannot be used.
    """
    edges = load_solutions().face_mesh_connections.FACEMESH_TESSELATION
    beside: dict[int, set[int]] = {}
    for start, end in edges:
        beside.setdefault(start, set()).add(end)
        beside.setdefault(end, set()).add(start)
    rings = {
        (first, second, third)
        for first in beside
        for second in beside[first]
        for third in beside[first] & beside[second]
        if first < second < third
    }
    sides = Counter(side for ring in rings for side in combinations(ring, 2))
    # An edge has two triangles at most. Three edges around a point of three neighbours are a ring
    # too, and no triangle: each of them has a third.
    triangles = [ring for ring in rings if any(sides[side] < 3 for side in combinations(ring, 2))]
    return np.array(sorted(_turned_alike(triangles)), np.int64)


def _turned_alike(triangles: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Triangles of one surface, all counterclockwise from outside: neighbours share an edge.

    Each goes along it in the other direction than its neighbour.
    """
    of_side: dict[frozenset[int], list[tuple[int, int, int]]] = {}
    for triangle in triangles:
        for side in combinations(triangle, 2):
            of_side.setdefault(frozenset(side), []).append(triangle)
    left = set(triangles)
    waiting = [_SEEN_FROM_OUTSIDE]
    while waiting:
        first, second, third = waiting.pop()
        if _in_order(first, second, third) not in left:
            continue
        left.discard(_in_order(first, second, third))
        yield first, second, third
        for start, end in ((first, second), (second, third), (third, first)):
            for neighbour in of_side[frozenset((start, end))]:
                (other,) = set(neighbour) - {start, end}
                waiting.append((end, start, other))


def _in_order(*points: int) -> tuple[int, int, int]:
    first, second, third = sorted(points)
    return first, second, third


def eye_triangles() -> Triangles:
    """What lies between the lids of both eyes [28, 3]."""
    return np.array([*_between(RIGHT_EYE), *_between(LEFT_EYE)[:, ::-1]], np.int64)


def mouth_triangles() -> Triangles:
    """What lies between the lips [18, 3]."""
    return _between(LIPS_INNER)[:, ::-1]


def _between(contour: tuple[int, ...]) -> Triangles:
    """A strip between the half of a contour that it begins with, and the other half.

    Counterclockwise where the contour is.
    """
    half = len(contour) // 2
    there = contour[: half + 1]
    back = (contour[0], *contour[:half:-1], contour[half])
    strip = [
        triangle
        for place in range(half)
        for triangle in (
            (back[place], there[place], there[place + 1]),
            (back[place], there[place + 1], back[place + 1]),
        )
    ]
    return np.array([t for t in strip if len(set(t)) == 3], np.int64)
