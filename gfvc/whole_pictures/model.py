"""A model of whole pictures, made of a model of faces and the square that faces are drawn in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from itertools import tee

import numpy as np

from gfvc.face_square import FaceSquare
from gfvc.whole_pictures.analysers import SquareAnalysers, WholeAnalyser
from gfvc.whole_pictures.compositing import cut_face, fine_face, in_whole, lay_over
from gfvc.whole_pictures.surroundings import Surroundings
from models import (
    Analyser,
    AnimationModel,
    FaceParameters,
    ParameterLayout,
    Reference,
    ReferencePair,
)
from models.contract import BegunPicture, FloatArray, HeadTrust, Picture, finished
from models.errors import ModelError


def of_whole_pictures(model: AnimationModel, squares: tuple[FaceSquare, ...]) -> AnimationModel:
    """A model as it is used: of whole pictures where there are face squares."""
    return WholePictures(model, squares) if squares else model


class WholeReference(Reference):
    """A whole coded picture, whose face square is made ready; the rest of it is held."""

    def __init__(self, face: Reference, picture: Picture, square: FaceSquare) -> None:
        self.face = face
        self.picture = picture
        self._square = square

    def take_texture(self, key: Reference, coded: Picture) -> Picture | None:
        """Have the face, with its texture, in the coded picture, and around what is drawn."""
        if not isinstance(key, WholeReference):
            return None
        face = np.ascontiguousarray(coded[self._square.window])
        textured = self.face.take_texture(key.face, face)
        if textured is None:
            return None
        self.picture = lay_over(coded, textured, self._square)
        return self.picture

    def animate(self, parameters: FaceParameters) -> Picture:
        """Draw the face that the parameters describe over the rest of the coded picture."""
        return lay_over(self.picture, self.face.animate(parameters), self._square)

    def begin(self, parameters: Iterable[FaceParameters]) -> Iterator[BegunPicture]:
        """Begin pictures as the model of faces does; the rest of each is laid around later."""
        for face in self.face.begin(parameters):
            yield partial(self._finish, face)

    def _finish(self, face: BegunPicture) -> Picture:
        return lay_over(self.picture, face(), self._square)

    def landmarks(self, parameters: FaceParameters) -> FloatArray | None:
        """Landmarks that the parameters describe, in widths and heights of the whole picture."""
        return in_whole(self.face.landmarks(parameters), self._square, self.picture)


class WholePair(ReferencePair):
    """Two whole coded pictures; what lies between them beside the face is interpolated."""

    def __init__(
        self,
        faces: ReferencePair,
        earlier: WholeReference,
        later: WholeReference,
        square: FaceSquare,
    ) -> None:
        self._faces = faces
        self._earlier = earlier
        self._later = later
        self._square = square

    @cached_property
    def _surroundings(self) -> Surroundings:
        """Made when the first picture is drawn: an encoder may ask for the ends alone."""
        return Surroundings(self._earlier.picture, self._later.picture)

    @property
    def ends(self) -> tuple[FaceParameters, FaceParameters] | None:
        """What the faces of the two pictures themselves are."""
        return self._faces.ends

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """Draw the face over what lies between the two coded pictures."""
        drawn = finished(self._faces.animate(parameters, position))
        progress = self._faces.progress(parameters, position)
        return self._finish(self._surroundings, position, progress, drawn)

    def begin(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[BegunPicture]:
        """Begin pictures as the model of faces does; what lies around each is made later."""
        known, given = tee(placed)
        surroundings = self._surroundings
        for (parameters, position), face in zip(known, self._faces.begin(given), strict=True):
            progress = self._faces.progress(parameters, position)
            yield partial(self._finish, surroundings, position, progress, face)

    def _finish(
        self, surroundings: Surroundings, position: float, progress: float, face: BegunPicture
    ) -> Picture:
        return lay_over(surroundings.at(position, progress), face(), self._square)

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray | None:
        """Landmarks of the picture, in widths and heights of the whole picture."""
        found = self._faces.landmarks(parameters, position)
        return in_whole(found, self._square, self._earlier.picture)

    def trust_head(self, trust: HeadTrust) -> None:
        """As the model of faces does."""
        self._faces.trust_head(trust)

    def progress(self, parameters: FaceParameters, position: float) -> float:
        """As the model of faces tells it."""
        return self._faces.progress(parameters, position)


class WholePictures(AnimationModel):
    """What a model of faces sends of the square, drawn into whole pictures.

    There may be several squares, of which it drives and draws the one of a number. Pictures are
    at least as large as the square goes. Raises `ModelError` for smaller ones.
    """

    def __init__(
        self, model: AnimationModel, squares: tuple[FaceSquare, ...], number: int = 0
    ) -> None:
        self._model = model
        self._squares = squares
        self._number = number

    @property
    def square(self) -> FaceSquare:
        """The square that it draws."""
        return self._squares[self._number]

    @property
    def of_squares(self) -> tuple[WholePictures, ...]:
        """The same for each of the squares."""
        numbers = range(len(self._squares))
        return tuple(WholePictures(self._model, self._squares, number) for number in numbers)

    @property
    def layout(self) -> ParameterLayout:
        """The parameters of the model of faces."""
        return self._model.layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start the analysis of a clip of whole pictures, of all squares that there are."""
        squares = tuple((square, self._model.open_analyser(align)) for square in self._squares)
        return WholeAnalyser(squares) if len(squares) == 1 else SquareAnalysers(squares)

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray | None:
        """How much errors of the values matter, as to the model of faces."""
        return self._model.value_weights(key_parameters)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        """Make the face square of a coded picture ready."""
        height, width = key_picture.shape[:2]
        if not self.square.fits(width, height):
            raise ModelError(
                f"the face square, {self.square}, lies outside of the picture of {width}x{height}"
            )
        face = self._model.prepare(cut_face(key_picture, self.square), key_parameters)
        fine = fine_face(key_picture, self.square)
        if fine is not None:
            face.refine(fine)
        return WholeReference(face, key_picture, self.square)

    @property
    def draws_from_both(self) -> bool:
        """Whether the model of faces does."""
        return self._model.draws_from_both

    @property
    def wants_post_filter(self) -> bool:
        """As the model that draws the face."""
        return self._model.wants_post_filter

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        """Make two successive coded pictures ready together."""
        if not isinstance(earlier, WholeReference) or not isinstance(later, WholeReference):
            raise ModelError("whole pictures are paired with whole pictures, and these are others")
        faces = self._model.pair(earlier.face, later.face)
        return WholePair(faces, earlier, later, self.square)
