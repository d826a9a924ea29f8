"""A model of whole pictures, made of a model of faces and the square that faces are drawn in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

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
from models.contract import FloatArray, Picture
from models.errors import ModelError
from models.parallel import map_in_order

# Pictures put together at the same time, while further faces are drawn.
_AT_ONCE = 2


def of_whole_pictures(model: AnimationModel, square: FaceSquare | None) -> AnimationModel:
    """A model as it is used: of whole pictures where there is a face square."""
    return model if square is None else WholePictures(model, square)


class WholeAnalyser(Analyser):
    """Looks at the face square of whole pictures; landmarks are those of the square."""

    def __init__(self, analyser: Analyser, square: FaceSquare) -> None:
        self._analyser = analyser
        self._square = square

    def face_picture(self, picture: Picture) -> Picture:
        """The face square of a whole picture."""
        return cut_face(picture, self._square)

    def remember(self, pictures: int) -> None:
        """Keep what was found in up to so many pictures."""
        self._analyser.remember(pictures)

    def rewind(self) -> None:
        """Start the clip over."""
        self._analyser.rewind()

    def analyse_key(self, picture: Picture) -> Analysis | None:
        """Analyse a decoded key picture; None when its square shows no face."""
        return self._analyser.analyse_key(self.face_picture(picture))

    def analyse(self, picture: Picture, key: Analysis) -> Analysis | None:
        """Analyse a driven picture; None when its square shows no face."""
        return self._analyser.analyse(self.face_picture(picture), key)

    def finds_face(self, picture: Picture) -> bool:
        """Tell whether the square of a picture shows a face."""
        return self._analyser.finds_face(self.face_picture(picture))

    def landmarks(self, picture: Picture) -> FloatArray | None:
        """Landmarks [478, 3] in widths and heights of the square."""
        return self._analyser.landmarks(self.face_picture(picture))

    def close(self) -> None:
        """Free the trackers."""
        self._analyser.close()


class WholeReference(Reference):
    """A whole coded picture, whose face square is made ready; the rest of it is held."""

    def __init__(self, face: Reference, picture: Picture, square: FaceSquare) -> None:
        self.face = face
        self.picture = picture
        self._square = square

    def animate(self, parameters: FaceParameters) -> Picture:
        """Draw the face that the parameters describe over the rest of the coded picture."""
        return lay_over(self.picture, self.face.animate(parameters), self._square)

    def animate_many(self, parameters: Iterable[FaceParameters]) -> Iterator[Picture]:
        """Draw pictures in order, some faces at the same time if the model does."""
        drawn = self.face.animate_many(parameters)
        return map_in_order(
            lambda face: lay_over(self.picture, face, self._square), drawn, _AT_ONCE
        )

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
        drawn = self._faces.animate(parameters, position)
        return lay_over(self._surroundings.at(position), drawn, self._square)

    def animate_many(self, placed: Iterable[tuple[FaceParameters, float]]) -> Iterator[Picture]:
        """Draw pictures in order, some faces at the same time if the model does."""
        positions: list[float] = []

        def noted() -> Iterator[tuple[FaceParameters, float]]:
            for parameters, position in placed:
                positions.append(position)
                yield parameters, position

        surroundings = self._surroundings

        def laid_over(numbered: tuple[int, Picture]) -> Picture:
            number, drawn = numbered
            return lay_over(surroundings.at(positions[number]), drawn, self._square)

        yield from map_in_order(laid_over, enumerate(self._faces.animate_many(noted())), _AT_ONCE)

    def landmarks(self, parameters: FaceParameters, position: float) -> FloatArray | None:
        """Landmarks of the picture, in widths and heights of the whole picture."""
        found = self._faces.landmarks(parameters, position)
        return _in_whole(found, self._square, self._earlier.picture)


class WholePictures(AnimationModel):
    """What a model of faces sends of the square, drawn into whole pictures.

    Pictures are at least as large as the square goes. Raises `ModelError` for smaller ones.
    """

    def __init__(self, model: AnimationModel, square: FaceSquare) -> None:
        self._model = model
        self._square = square

    @property
    def layout(self) -> ParameterLayout:
        """The parameters of the model of faces."""
        return self._model.layout

    def open_analyser(self, align: bool | None = None) -> Analyser:
        """Start the analysis of a clip of whole pictures."""
        return WholeAnalyser(self._model.open_analyser(align), self._square)

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
