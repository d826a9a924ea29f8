"""The controls of a clip's access units: of what kind they are, and what they share.

Shared is what is found out before anything is edited: the mean pose of the clip, and how much of a
change shows in a few of its pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gfvc.errors import InputError
from gfvc.face_edits.controls import (
    AS_ASKED,
    NO_PUPILS,
    FaceControls,
    Limited,
    Response,
    ShownFaces,
)
from gfvc.face_edits.course import edited, strengths
from gfvc.face_edits.keypoint_controls import KeypointControls, RotationControls
from gfvc.face_edits.landmark_controls import LandmarkControls
from gfvc.face_edits.response import ResponseFinder, TrialDraw
from gfvc.face_edits.seen import Draw, SeenClip, SeenUnit
from gfvc.options.editing import FaceEdit
from models import ModelCard, ParameterLayout
from models.contract import HEAD_ROTATION, FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.layout import FACE_VALUES, face_layout
from models.landmarks.values import UNITS, find_rest_face

PICTURES_LOOKED_AT, LOOKED_AT_SECONDS, STRONG = 12, 10, 0.5
"""Pictures in which it is seen how much of an edit shows: so many, spread over so many seconds from
the first in which an edit is so strong."""

_SEEN = frozenset({"yaw", "pitch", "mouth", "open", "eyes", "blink"})
"""What key pictures are looked at for."""


class ClipControls:
    """Makes the controls of access units.

    `looks` tells whether they want to see the coded pictures; `mean_pose` [6] is that of the clip,
    0 where no edit asks for it.
    """

    def __init__(self, source: Path, card: ModelCard, edits: Sequence[FaceEdit]) -> None:
        self._edits = edits
        self._layout = card.layout
        self._kind = kind = _kind_of(card.layout)
        self._asked = [name for each in edits for name in each.asked]
        wrong = [name for name in self._asked if name not in kind.can]
        if wrong:
            why = NO_PUPILS if wrong[0] == "gaze" else kind.why_not
            raise InputError(f"{source}: {card.name} cannot do --{wrong[0]}: {why}")
        self.looks = kind is LandmarkControls and bool(_SEEN & set(self._asked))
        self.mean_pose = np.zeros(6)
        self._response = AS_ASKED
        self._reference: FloatArray | None = None
        if kind is LandmarkControls:
            self._face_space = shipped_face_space()

    def look_through(self, clip: SeenClip) -> None:
        """Find out what all controls share."""
        if self.looks:
            self._response = self._find_response(clip)
        if "pose" in self._asked:
            self.mean_pose = self._find_mean_pose(clip)

    def of(
        self,
        own: FloatArray,
        picture: Picture | None = None,
        offset: FloatArray | None = None,
        shown: ShownFaces | None = None,
    ) -> FaceControls:
        """Controls of an access unit with the numbers of its coded picture.

        `offset` [size] are these numbers against those of the first coded picture of the sequence;
        `shown` are the faces of the pictures that are to be edited.
        """
        return self._made(own, picture, offset, shown, self._response)

    def _made(
        self,
        own: FloatArray,
        picture: Picture | None,
        offset: FloatArray | None,
        shown: ShownFaces | None,
        response: Response,
    ) -> FaceControls:
        if self._reference is None:
            self._reference = own
        if self._kind is KeypointControls:
            return KeypointControls(self._layout, self._reference, own)
        if self._kind is RotationControls:
            return RotationControls(own)
        if self._kind is not LandmarkControls:
            return FaceControls()
        if picture is None or not self.looks:
            return LandmarkControls(self._face_space, own, response=response, offset=offset)
        rest = find_rest_face(self._face_space, picture, own[:FACE_VALUES] * UNITS).rest
        return LandmarkControls(self._face_space, own, rest, response, offset, shown)

    def _find_mean_pose(self, clip: SeenClip) -> FloatArray:
        total, count = np.zeros(6), 0
        with closing(clip.units(looks=self.looks)) as units:
            for seen in units:
                if seen.own is None or seen.rows is None:
                    continue
                poses = self.of(seen.own).pose(seen.rows)
                total += poses.sum(axis=0)
                count += len(poses)
        return total / max(1, count)

    def _find_response(self, clip: SeenClip) -> Response:
        """The mean response of pictures within the time of the edits."""
        finder = ResponseFinder(self._face_space, self._edits)
        numbers = self._pictures_looked_at(clip)
        done = 0
        with closing(clip.units(looks=True)) as units:
            for seen in units if numbers else ():
                first, done = done, done + seen.unit.pictures
                places = [number - first for number in numbers if first <= number < done]
                if places and seen.draw is not None and seen.rows is not None:
                    finder.look(self._drawing(seen, seen.rows, places, seen.draw))
                if done > numbers[-1]:
                    break
        return finder.response()

    def _pictures_looked_at(self, clip: SeenClip) -> list[int]:
        """Numbers of a few output pictures in which edits of what is looked at are strong."""
        times = np.arange(clip.stream.pictures) / clip.rate
        seen = [strengths(edit, times) for edit in self._edits if edit.asked.keys() & _SEEN]
        strong = np.flatnonzero(np.max(seen, axis=0) >= STRONG)
        strong = strong[: max(1, round(LOOKED_AT_SECONDS * clip.rate))]
        places = np.linspace(0, len(strong), PICTURES_LOOKED_AT, endpoint=False).astype(int)
        return sorted({int(number) for number in strong[places]}) if len(strong) else []

    def _drawing(
        self, seen: SeenUnit, rows: FloatArray, places: list[int], drawn: Draw
    ) -> TrialDraw:
        """Draws some pictures of an access unit with an edit and a response."""
        own = seen.own
        assert own is not None
        count, chosen = len(places), rows[places]
        shown = None if seen.shown is None else seen.shown.of(places)

        def draw(
            trial: FaceEdit | None, response: Response
        ) -> tuple[list[Picture], npt.NDArray[np.bool_]]:
            result = Limited(chosen, {})
            if trial is not None:
                controls = self._made(own, seen.picture, None, shown, response)
                result = edited(chosen, np.zeros(count), [trial], controls, np.zeros(6))
            return drawn(places, result.rows), result.as_asked

        return draw


def _kind_of(layout: ParameterLayout) -> type[FaceControls]:
    """What is known of the numbers of a model with this layout."""
    further = layout.size - FACE_VALUES
    if further >= 0 and layout == face_layout(further):
        return LandmarkControls
    if layout.keypoints:
        return KeypointControls
    if [matrix.matrix_type for matrix in layout.matrices][:1] == [HEAD_ROTATION]:
        return RotationControls
    return FaceControls
