"""A model of whole pictures, made of a model of faces and the square that faces are drawn in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from itertools import tee

from gfvc.face_square import FaceSquare
from gfvc.whole_pictures.compositing import cut_face, lay_over
from gfvc.whole_pictures.surroundings import Surroundings
from models import (
    Analyser,
    Analysis,
    AnimationModel,
    FaceParameters,
    ParameterLayout,
    Reference,
    ReferencePair,
)
from models.contract import BegunPicture, FloatArray, Picture, finished
from models.errors import ModelError


def of_whole_pictures(model: AnimationModel, squares: tuple[FaceSquare, ...]) -> AnimationModel:
    """A model as it is used: of whole pictures where there are face squares."""
    return WholePictures(model, squares) if squares else model


class WholeAnalyser(Analyser):
    """Looks at the face square of whole pictures; landmarks are those of the square.

    It is the one of a number, of several. A face that lies nearer to the middle of another square
    is not found: it is that of the other. `further` look at the squares after it.
    """

    def __init__(
        self,
        analyser: Analyser,
        squares: tuple[FaceSquare, ...],
        number: int = 0,
        further: tuple[WholeAnalyser, ...] = (),
    ) -> None:
        self._analyser = analyser
        self._square = squares[number]
        self._others = tuple(square for square in squares if square != self._square)
        self.further = further

    def face_picture(self, picture: Picture) -> Picture:
        """The face square of a whole picture."""
        return cut_face(picture, self._square)

    def remember(self, pictures: int) -> None:
        """Keep what was found in up to so many pictures, those of further faces with them."""
        share = pictures // (1 + len(self.further))
        for analyser in (self._analyser, *self.further):
            analyser.remember(share)

    def rewind(self) -> None:
        """Start the clip over."""
        for analyser in (self._analyser, *self.further):
            analyser.rewind()

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Analyse a decoded key picture; None when its square shows no face."""
        analysis = self._analyser.analyse_key(self.face_picture(picture))
        if analysis is not None and analysis.landmarks is not None:
            return analysis if self._is_own(analysis.landmarks) else None
        return analysis

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Analyse a driven picture; None when its square shows no face."""
        if self._others and self.landmarks(picture) is None:
            return None
        return self._analyser.analyse(self.face_picture(picture), key)

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether the square of a picture shows a face."""
        if self._others and self.landmarks(picture) is None:
            return False
        return self._analyser.finds_face(self.face_picture(picture))

    def landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] in widths and heights of the square."""
        found = self._analyser.landmarks(self.face_picture(picture))
        return found if found is None or self._is_own(found) else None

    def _is_own(self, landmarks: FloatArray) -> bool:
        """Whether a face of the square is that of the square."""
        square = self._square
        x, y = landmarks[:, :2].mean(axis=0) * square.side + (square.left, square.top)
        own = square.distance(x, y)
        return all(own <= other.distance(x, y) for other in self._others)

    def close(self) -> None:
        """Free the trackers."""
        for analyser in (self._analyser, *self.further):
            analyser.close()


class WholeReference(Reference):
    """A whole coded picture, whose face square is made ready; the rest of it is held."""

    def __init__(self, face: Reference, picture: Picture, square: FaceSquare) -> None:
        self.face = face
        self.picture = picture
        self._square = square

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
        return _in_whole(self.face.landmarks(parameters), self._square, self.picture)


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
        """Made when the first picture is drawn: an encoder asks for the ends alone."""
        return Surroundings(self._earlier.picture, self._later.picture)

    @property
    def ends(self) -> tuple[FaceParameters, FaceParameters] | None:
        """What the faces of the two pictures themselves are."""
        return self._faces.ends

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """Draw the face over what lies between the two coded pictures."""
        drawn = finished(self._faces.animate(parameters, position))
        return self._finish(self._surroundings, position, drawn)

    def begin(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[BegunPicture]:
        """Begin pictures as the model of faces does; what lies around each is made later."""
        known, given = tee(placed)
        surroundings = self._surroundings
        for (_, position), face in zip(known, self._faces.begin(given), strict=True):
            yield partial(self._finish, surroundings, position, face)

    def _finish(self, surroundings: Surroundings, position: float, face: BegunPicture) -> Picture:
        return lay_over(surroundings.at(position), face(), self._square)

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray | None:
        """Landmarks of the picture, in widths and heights of the whole picture."""
        found = self._faces.landmarks(parameters, position)
        return _in_whole(found, self._square, self._earlier.picture)


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
        self._square = squares[number]

    @property
    def further(self) -> tuple[WholePictures, ...]:
        """Models of the squares after its own."""
        return tuple(
            WholePictures(self._model, self._squares, number) for number in self._later_squares
        )

    @property
    def _later_squares(self) -> range:
        return range(self._number + 1, len(self._squares))

    @property
    def layout(self) -> ParameterLayout:
        """The parameters of the model of faces."""
        return self._model.layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start the analysis of a clip of whole pictures, by `WholeAnalyser`s of all squares."""
        further = tuple(self._analyser_of(number, align) for number in self._later_squares)
        return self._analyser_of(self._number, align, further)

    def _analyser_of(
        self, number: int, align: bool | None, further: tuple[WholeAnalyser, ...] = ()
    ) -> WholeAnalyser:
        return WholeAnalyser(self._model.open_analyser(align), self._squares, number, further)

    def value_weights(self, key_parameters: FaceParameters) -> FloatArray | None:
        """How much errors of the values matter, as to the model of faces."""
        return self._model.value_weights(key_parameters)

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        """Make the face square of a coded picture ready."""
        height, width = key_picture.shape[:2]
        if not self._square.fits(width, height):
            raise ModelError(
                f"the face square, {self._square}, lies outside of the picture of {width}x{height}"
            )
        face = self._model.prepare(cut_face(key_picture, self._square), key_parameters)
        return WholeReference(face, key_picture, self._square)

    @property
    def draws_from_both(self) -> bool:
        """Whether the model of faces does."""
        return self._model.draws_from_both

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        """Make two successive coded pictures ready together."""
        if not isinstance(earlier, WholeReference) or not isinstance(later, WholeReference):
            raise ModelError("whole pictures are paired with whole pictures, and these are others")
        faces = self._model.pair(earlier.face, later.face)
        return WholePair(faces, earlier, later, self._square)


def _in_whole(
    landmarks: FloatArray | None, square: FaceSquare, picture: Picture
) -> FloatArray | None:
    """Landmarks [478, 3] of a square in widths and heights of the whole picture."""
    if landmarks is None:
        return None
    height, width = picture.shape[:2]
    scale = square.side / width, square.side / height, square.side / width
    whole: FloatArray = landmarks * scale + (square.left / width, square.top / height, 0.0)
    return whole
