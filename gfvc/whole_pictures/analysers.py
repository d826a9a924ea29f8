"""Analysers of whole pictures: each looks at a face square, and several agree whose a face is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gfvc.face_square import FaceSquare
from gfvc.whole_pictures.compositing import cut_face
from models import Analyser, Analysis
from models.contract import FloatArray, Picture

# A square is chosen so that a face, brows to chin, takes this share of its side, or less where the
# face moves much. Each doubling of what it should be counts as much as this distance from the
# middle, in sides of the square.
USUAL_SHARE = 0.5
DOUBLING = 0.5


@dataclass(frozen=True, slots=True)
class _Found:
    """A face in a square: its box in pixels of the whole picture, and how ill it fits there."""

    low: FloatArray
    high: FloatArray
    misfit: float

    @classmethod
    def of(cls, landmarks: FloatArray, square: FaceSquare) -> _Found:
        """By its landmarks [478, 3] in widths and heights of the square."""
        points = landmarks[:, :2] * square.side + (square.left, square.top)
        low, high = points.min(axis=0), points.max(axis=0)
        middle = (low + high) / 2
        share = float((high - low).max()) / square.side
        size = abs(math.log2(max(share, 1e-3) / USUAL_SHARE))
        away = square.distance(float(middle[0]), float(middle[1]))
        return cls(low, high, away + DOUBLING * size)

    def is_same(self, other: _Found) -> bool:
        """Whether the two are of one face: the middle of one lies within the other."""
        return other._holds((self.low + self.high) / 2) or self._holds((other.low + other.high) / 2)

    def _holds(self, place: FloatArray) -> bool:
        return bool(np.all((self.low <= place) & (place <= self.high)))


_Landmarks = Callable[[Analyser, Picture], "FloatArray | None"]


def _followed(analyser: Analyser, face: Picture) -> FloatArray | None:
    return analyser.landmarks(face)


def _of_key(analyser: Analyser, face: Picture) -> FloatArray | None:
    analysis = analyser.analyse_key(face)
    return None if analysis is None else analysis.landmarks


class WholeAnalyser(Analyser):
    """Looks at a face square of whole pictures; landmarks are those of the square.

    `squares` has an analyser for each square, and this one is that of a number. A face that another
    one sees too, in a square that fits it better, is not found here: squares may overlap.
    """

    def __init__(self, squares: tuple[tuple[FaceSquare, Analyser], ...], number: int = 0) -> None:
        self._square, self._analyser = squares[number]
        self._others = [
            (square, analyser)
            for square, analyser in squares
            if analyser is not self._analyser and square.overlaps(self._square)
        ]

    def face_picture(self, picture: Picture) -> Picture:
        """The face square of a whole picture."""
        return cut_face(picture, self._square)

    def remember(self, pictures: int) -> None:
        """Keep what was found in up to so many pictures."""
        self._analyser.remember(pictures)

    def expect(self, picture: Picture) -> None:
        """Look at the square of a picture that is asked about soon."""
        self._analyser.expect(self.face_picture(picture))

    def rewind(self) -> None:
        """Start the clip over."""
        self._analyser.rewind()

    def look_again(self, picture: Picture) -> None:
        """Go back to a picture looked at before, in all squares that are asked whose a face is."""
        self._analyser.look_again(self.face_picture(picture))
        for square, analyser in self._others:
            analyser.look_again(cut_face(picture, square))

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Analyse a decoded key picture; None when its square shows no face."""
        analysis = self._analyser.analyse_key(self.face_picture(picture))
        if analysis is None or analysis.landmarks is None:
            return analysis
        return analysis if self._is_own(analysis.landmarks, picture, _of_key) else None

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Analyse a driven picture; None when its square shows no face."""
        if self._others and self.landmarks(picture) is None:
            return None
        return self._analyser.analyse(self.face_picture(picture), key)

    def analyse_many(self, pictures: Iterable[Picture], key: Analysis) -> Iterator[Analysis | None]:
        """Analyse driven pictures, as the analyser of faces does where no other sees the same."""
        if self._others:
            return super().analyse_many(pictures, key)
        return self._analyser.analyse_many(map(self.face_picture, pictures), key)

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether the square of a picture shows a face."""
        if self._others and self.landmarks(picture) is None:
            return False
        return self._analyser.finds_face(self.face_picture(picture))

    def landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] in widths and heights of the square."""
        found = self._analyser.landmarks(self.face_picture(picture))
        return found if found is None or self._is_own(found, picture, _followed) else None

    def _is_own(self, landmarks: FloatArray, picture: Picture, find: _Landmarks) -> bool:
        """Whether no other square shows the same face, and fits it better."""
        own = _Found.of(landmarks, self._square)
        for square, analyser in self._others:
            found = find(analyser, cut_face(picture, square))
            if found is not None:
                other = _Found.of(found, square)
                if other.misfit < own.misfit and own.is_same(other):
                    return False
        return True

    def close(self) -> None:
        """Free the trackers."""
        self._analyser.close()


class SquareAnalysers(WholeAnalyser):
    """Analysers of several squares, in `of_squares`; itself it looks at the first."""

    def __init__(self, squares: tuple[tuple[FaceSquare, Analyser], ...]) -> None:
        super().__init__(squares)
        self.of_squares = tuple(WholeAnalyser(squares, number) for number in range(len(squares)))

    def remember(self, pictures: int) -> None:
        """Keep what was found in up to so many pictures, in all squares together."""
        for analyser in self.of_squares:
            analyser.remember(pictures // len(self.of_squares))

    def expect(self, picture: Picture) -> None:
        """Look at the square, if there is one only: of several it is not known which is asked."""
        if len(self.of_squares) == 1:
            super().expect(picture)

    def rewind(self) -> None:
        """Start the clip over."""
        for analyser in self.of_squares:
            analyser.rewind()

    def close(self) -> None:
        """Free the trackers."""
        for analyser in self.of_squares:
            analyser.close()
