"""A scripted model that draws from two references, so that clips are coded segment by segment.

Its landmarks are those of the average face in the grey one, turned as the picture says: what
chooses key pictures and coded pictures looks at these, and at the pictures themselves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models import Analyser, FaceParameters, Reference, ReferencePair
from models.contract import Ends, FloatArray, Picture, check_position
from models.landmarks.face_space import FaceSpace, HeadPose, shipped_face_space
from tests.golden.scripted import (
    CENTRE,
    SIDE,
    ScriptedAnalyser,
    ScriptedModel,
    ScriptedReference,
    Shown,
    shown_against,
    shown_in,
)

# Degrees by which the head is turned for a unit of the first value.
_DEGREES = 0.06
_SCALE, _MIDDLE = 0.13, (0.5, 0.66, 0.0)
# A coded picture shows the third value this much off: what is sent meets it there.
_SEEN_OFF = 9
# Landmarks are shaken by more than the model: a tracker's differ more from machine to machine.
_SHAKEN_MORE = 1e3


class ScriptedPairModel(ScriptedModel):
    """Draws from both references, and knows what it sees in the two."""

    def open_analyser(self, align: bool | None = None) -> Analyser:
        return _PairAnalyser(self)

    @property
    def draws_from_both(self) -> bool:
        return True

    def pair(self, earlier: Reference, later: Reference) -> ReferencePair:
        assert isinstance(earlier, ScriptedReference)
        assert isinstance(later, ScriptedReference)
        return _ScriptedPair(self, earlier.key, later.key)

    def landmarks(self, space: FaceSpace, shown: Shown) -> FloatArray:
        """Landmarks [478, 3] of the average face, turned."""
        angle = np.radians(_DEGREES * (shown.values[0] - CENTRE))
        cosine, sine = np.cos(angle), np.sin(angle)
        turn = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
        placed = HeadPose(turn, _SCALE, np.array(_MIDDLE)).apply(space.mean)
        return placed + _SHAKEN_MORE * (self.shaken(placed) - placed)


class _PairAnalyser(ScriptedAnalyser):
    def __init__(self, model: ScriptedPairModel) -> None:
        super().__init__(model)
        self._pair_model = model
        self._space = shipped_face_space()

    def landmarks(self, picture: Picture) -> FloatArray | None:
        shown = shown_in(picture)
        return self._pair_model.landmarks(self._space, shown) if shown.face else None


class _ScriptedPair(ReferencePair):
    def __init__(self, model: ScriptedPairModel, earlier: Shown, later: Shown) -> None:
        seen = (earlier, shown_against(later, earlier))
        first, last = (model.parameters(_seen_off(shown)) for shown in seen)
        self._ends = first, last

    @property
    def ends(self) -> Ends:
        return self._ends

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        """Nothing but grey, in which nothing is seen to be moved: no control grid is sent."""
        check_position(position)
        return np.full((SIDE, SIDE, 3), 128, np.uint8)


def _seen_off(shown: Shown) -> Shown:
    one, two, three, *others = shown.values
    return replace(shown, values=(one, two, three + _SEEN_OFF, *others))
