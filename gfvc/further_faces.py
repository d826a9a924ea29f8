"""Drawing the faces beside the first: each in its square, over the pictures with the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path

from gfvc.decoded_pool import AsCoded, CodedPicture, DecodedPool
from gfvc.driven_parameters import base_parameters, parameters_of_pictures
from gfvc.face_square import FaceSquare
from gfvc.stream.picture_units import FurtherFaceUnit, PictureUnit
from gfvc.whole_pictures.compositing import cut_face, fine_face, lay_over
from models import AnimationModel
from models.contract import BegunPicture, Picture

Coded = tuple[PictureUnit, Picture]
"""A coded picture: its unit, and decoded."""


@dataclass(frozen=True, slots=True)
class FaceOver:
    """A face to be laid over the output pictures of a coded picture; None where it is as coded.

    `before` are the squares of faces that are drawn there already.
    """

    drawn: Iterator[BegunPicture | None]
    square: FaceSquare
    before: tuple[FaceSquare, ...]

    def over(self, picture: BegunPicture) -> BegunPicture:
        """The next output picture, begun, with the face in it."""
        drawn = next(self.drawn)
        return picture if drawn is None else partial(self._lay, picture, drawn)

    def skip(self) -> None:
        """Leave an output picture out."""
        next(self.drawn)

    def _lay(self, picture: BegunPicture, drawn: BegunPicture) -> Picture:
        return lay_over(picture(), drawn(), self.square, self.before)


class FurtherFaces:
    """Draws the further faces of a stream. `repack` is as of `parameters_of_pictures`."""

    def __init__(self, model: AnimationModel, source: Path, *, repack: bool) -> None:
        self._model = model
        self._source = source
        self._repack = repack
        self._pools: dict[int, DecodedPool] = {}

    def over(self, current: Coded, later: Coded | None) -> tuple[FaceOver, ...]:
        """What is laid over the pictures of a coded picture; `later` is the next, if there is.

        Drawing raises as `DecodedPool.spans` and `parameters_of_pictures` do.
        """
        unit = current[0]
        # A face that is as coded here takes nothing from those that are drawn.
        before = () if unit.face_square is None else (unit.face_square,)
        over = []
        for place, face in enumerate(unit.further):
            if face.is_drawn:
                drawn = chain(self._drawn(place, face, current, later), repeat(None))
                over.append(FaceOver(drawn, face.square, before))
                before = (*before, face.square)
        return tuple(over)

    def _drawn(
        self, place: int, face: FurtherFaceUnit, current: Coded, later: Coded | None
    ) -> Iterator[BegunPicture | None]:
        """The face in each output picture of a coded picture, begun; None where it is as coded."""
        pool = self._pools.setdefault(face.gfv_id, DecodedPool(self._model))
        own = self._coded(face, *current)
        following = None
        if later is not None and place < len(later[0].further):
            next_face = later[0].further[place]
            if face.unit.shares_driven_with(next_face.unit):
                following = self._coded(next_face, *later)
        parameters_of = partial(
            parameters_of_pictures,
            face.unit,
            self._model.layout,
            self._source,
            repack=self._repack,
        )
        for span in pool.spans(own, parameters_of, following):
            if isinstance(span, AsCoded) and not span.is_textured:
                yield from repeat(None, span.pictures)
            else:
                yield from span.begin()

    def _coded(self, face: FurtherFaceUnit, whole: PictureUnit, picture: Picture) -> CodedPicture:
        """The square of a face in a coded picture."""
        parameters = base_parameters(
            face.unit, self._model.layout, self._source, repack=self._repack
        )
        height, width = picture.shape[:2]
        return CodedPicture(
            face.unit,
            cut_face(picture, face.square),
            parameters,
            whole.control_grids,
            (face.square, (width, height)),
            fine_face(picture, face.square),
        )
