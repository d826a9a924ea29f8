"""Where faces may be in the pictures of a clip, and at which place the first one is.

People who are on screen in turn are at several places, of which one shows the first face at a time.
It changes where a scene starts, or where one face goes away while another is seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gfvc.encoding.planner import LOST_SECONDS
from gfvc.face_square import FaceSquare
from gfvc.whole_pictures.analysers import SquareAnalysers
from gfvc.whole_pictures.model import WholePictures
from models import Analyser, AnimationModel
from models.contract import Picture


@dataclass(frozen=True, slots=True)
class FacePlace:
    """A place of a face: what looks at it there, and what draws it.

    `square` is None where the face fills the pictures.
    """

    model: AnimationModel
    analyser: Analyser
    square: FaceSquare | None = None


def face_places(model: AnimationModel, analyser: Analyser) -> tuple[FacePlace, ...]:
    """The places of a clip, by the model of its pictures and an analyser of that."""
    if not isinstance(model, WholePictures):
        return (FacePlace(model, analyser),)
    analysers = analyser.of_squares if isinstance(analyser, SquareAnalysers) else (analyser,)
    return tuple(
        FacePlace(of_square, each, of_square.square)
        for of_square, each in zip(model.of_squares, analysers, strict=True)
    )


class FirstPlace:
    """Which of some places shows the first face, picture by picture, `rate` a second.

    Places are in the order in which they are looked at where a scene starts.
    """

    def __init__(self, analysers: Sequence[Analyser], rate: Fraction) -> None:
        self._analysers = analysers
        self._longest = math.ceil(LOST_SECONDS * rate)
        self._lost = 0  # pictures since a face was seen at the place
        self._place = 0

    def of(self, picture: Picture, *, starts_scene: bool) -> int:
        """The place in the next picture uint8 [height, width, 3], by its number."""
        if len(self._analysers) > 1:
            self._lost = 0 if self._shows_face(self._place, picture) else self._lost + 1
            if starts_scene or self._lost >= self._longest:
                seen = (n for n in range(len(self._analysers)) if self._shows_face(n, picture))
                self._place = next(seen, self._place)
        return self._place

    def _shows_face(self, place: int, picture: Picture) -> bool:
        return self._analysers[place].landmarks(picture) is not None
