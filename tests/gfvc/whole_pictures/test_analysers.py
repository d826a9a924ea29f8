"""Whose a face is that more than one square shows."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.face_square import FaceSquare
from gfvc.whole_pictures.analysers import WholeAnalyser
from models.contract import Analyser, Analysis, FaceParameters, FloatArray, Picture

PICTURE = np.zeros((240, 400, 3), np.uint8)
WIDE, LEFT, FAR = FaceSquare(60, 0, 240), FaceSquare(40, 40, 100), FaceSquare(310, 40, 80)


class Shown(Analyser):
    """Finds faces of a whole picture that are not smaller than a quarter of a square, and in it."""

    def __init__(self, square: FaceSquare, faces: list[tuple[float, float, float]]) -> None:
        self._square = square
        self._faces = faces

    def landmarks(self, picture: Picture) -> FloatArray | None:
        square = self._square
        for x, y, side in self._faces:
            place = (x - square.left) / square.side, (y - square.top) / square.side
            if min(place) > 0 and max(place) < 1 and side > square.side / 4:
                corners = np.array([(-1.0, -1.0, 0.0), (1.0, 1.0, 0.0)]) * side / square.side / 2
                corners[:, :2] += place
                return corners
        return None

    def finds_face(self, picture: Picture) -> bool:
        return self.landmarks(picture) is not None

    def analyse_key(self, picture: Picture) -> Analysis | None:
        found = self.landmarks(picture)
        return None if found is None else Analysis(FaceParameters(), landmarks=found)

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        return self.analyse_key(picture)


def seen(*faces: tuple[float, float, float]) -> list[bool]:
    """In which of the squares a face is found, by all ways of looking."""
    squares = tuple((square, Shown(square, list(faces))) for square in (WIDE, LEFT, FAR))
    found: list[bool] = []
    for number in range(3):
        analyser = WholeAnalyser(squares, number)
        key = analyser.analyse_key(PICTURE)
        ways = {
            key is not None,
            analyser.finds_face(PICTURE),
            analyser.landmarks(PICTURE) is not None,
        }
        if key is not None:
            ways.add(analyser.analyse(PICTURE, key) is not None)
        assert len(ways) == 1
        found += ways
    return found


@pytest.mark.parametrize(
    ("faces", "squares"),
    [
        ([], [False, False, False]),
        # One that fills the wide square is no other's, though its middle is in the left one too.
        ([(135.0, 110.0, 120.0)], [True, False, False]),
        ([(95.0, 95.0, 62.0)], [False, True, False]),
        ([(350.0, 80.0, 40.0)], [False, False, True]),
        ([(220.0, 120.0, 110.0), (90.0, 90.0, 40.0)], [True, True, False]),
    ],
)
def test_a_face_is_that_of_the_square_that_fits_it(
    faces: list[tuple[float, float, float]], squares: list[bool]
) -> None:
    assert seen(*faces) == squares


def test_squares_that_do_not_touch_are_not_asked() -> None:
    assert WIDE.overlaps(LEFT)
    assert LEFT.overlaps(WIDE)
    assert not WIDE.overlaps(FAR)
    assert not LEFT.overlaps(FaceSquare(140, 40, 100))
    assert LEFT.overlaps(FaceSquare(139, 139, 300))
