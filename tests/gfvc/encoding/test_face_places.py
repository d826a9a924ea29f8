"""At which place the first face is, where people are on screen in turn."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gfvc.encoding.face_places import FirstPlace, face_places
from gfvc.face_square import FaceSquare
from gfvc.whole_pictures.model import WholePictures
from models import Analyser, Analysis, default_registry
from models.contract import FloatArray, Picture

BLANK = np.zeros((64, 64, 3), np.uint8)


class Seeing(Analyser):
    """Sees a face whenever it is told so, in the middle of its picture and of a size."""

    def __init__(self, size: float = 0.5, middle: tuple[float, float] = (0.5, 0.5)) -> None:
        self.sees = True
        self._corners = np.array([(-1.0, -1.0, 0.0), (1.0, 1.0, 0.0)]) * size / 2
        self._corners[:, :2] += middle

    def landmarks(self, picture: Picture) -> FloatArray | None:
        return self._corners if self.sees else None

    def finds_face(self, picture: Picture) -> bool:
        return self.sees

    def analyse_key(self, picture: Picture) -> Analysis | None:
        raise NotImplementedError

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        raise NotImplementedError


def places(seen: str, scenes: str = "") -> str:
    """The place of each picture, of three places; `seen` says where there is one face (- for none).

    `scenes` marks pictures that start a scene with s.
    """
    analysers = [Seeing(), Seeing(), Seeing()]
    first = FirstPlace(analysers, Fraction(25))
    found = ""
    for here, mark in zip(seen, scenes.ljust(len(seen)), strict=True):
        for number, analyser in enumerate(analysers):
            analyser.sees = str(number) == here or here == "*"
        found += str(first.of(BLANK, starts_scene=mark == "s"))
    return found


def test_a_place_is_kept_until_a_scene_starts() -> None:
    assert places("0000", "s") == "0000"
    assert places("00****", "s") == "000000"
    assert places("000111222", "s  s  s") == "000111222"
    # The first in order where several are seen.
    assert places("22****", "s s") == "220000"


def test_a_face_that_is_lost_for_a_moment_is_waited_for() -> None:
    assert places("00----00", "s") == "00000000"
    assert places("0011110000", "s") == "0" * 10
    # Five pictures are a fifth of a second.
    assert places("00111111", "s") == "00000011"
    assert places("00-------", "s") == "000000000"


def test_the_places_are_those_of_the_squares() -> None:
    squares = FaceSquare(0, 0, 64), FaceSquare(100, 20, 80)
    model = WholePictures(default_registry().find("mesh").load(), squares)
    with model.open_analyser() as analyser:
        found = face_places(model, analyser)
        assert tuple(place.square for place in found) == squares
        assert len({id(place.analyser) for place in found}) == 2
    alone = WholePictures(default_registry().find("mesh").load(), squares[:1])
    with alone.open_analyser() as analyser:
        [place] = face_places(alone, analyser)
        assert place.square == squares[0]
        assert place.analyser is analyser
