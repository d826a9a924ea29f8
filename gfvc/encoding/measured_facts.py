"""What the planner asks about pictures: found out with the model, the tracker, the base codec."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.encoding.face_watch import FaceSight, FaceWatch
from gfvc.encoding.scene_changes import Glance, SceneCuts
from gfvc.post_filtering import UNFILTERED, PostFiltering
from models import Analyser, Analysis, AnimationModel, FaceParameters
from models.contract import FloatArray, Picture


@dataclass(slots=True)
class _Key:
    """A picture coded as key picture: what drives others.

    `sight` is what was seen of its face in the source.
    """

    stream: bytes
    analysis: Analysis
    weights: FloatArray | None
    sight: FaceSight | None


class MeasuredFacts:
    """`gfvc.encoding.decisions.Facts` about the pictures of a clip, each found out once.

    Pictures are added in order, from 0 on, and are there until `keep` leaves them out. A picture
    that was coded as key picture can be asked about as such from then on. There are `rate` pictures
    a second; `watch` sees who is shown (None: that is left out). Coded key pictures go by
    `post_filter`.

    A face that is another than that of a key picture is no face to be driven by it, and one that a
    fade mixes of two is none to code as key picture.
    """

    def __init__(
        self,
        model: AnimationModel,
        analyser: Analyser,
        base: BaseLayerCoder,
        qps: SequenceQps,
        rate: Fraction,
        watch: FaceWatch | None = None,
        post_filter: PostFiltering = UNFILTERED,
    ) -> None:
        self._model = model
        self._analyser = analyser
        self._base = base
        self._qps = qps
        self._watch = watch
        self._post_filter = post_filter
        self._cuts = SceneCuts(rate)
        self._pictures: dict[int, Picture] = {}
        self._glances: dict[int, Glance] = {}
        self._is_cut: dict[int, bool] = {}
        self._sights: dict[int, FaceSight | None] = {}
        self._shows_face: dict[int, bool] = {}
        self._can_be_key: dict[int, bool] = {}
        self._analyses: dict[tuple[int, int], Analysis | None] = {}
        self._keys: dict[int, _Key] = {}
        self.lost_keys = 0
        """Key pictures whose coded form showed no face."""

    def add(self, number: int, picture: Picture) -> None:
        """Take the next picture uint8 [height, width, 3]."""
        self._pictures[number] = picture
        self._glances[number] = Glance.at(picture)
        self._is_cut[number] = self._cuts.is_cut(self._glances[number])
        if self._watch is not None:
            landmarks = self._analyser.landmarks(picture)
            face = self._analyser.face_picture(picture)
            self._sights[number] = self._watch.see(face, landmarks)

    def keep(self, pictures: Collection[int], shown: Collection[int]) -> None:
        """Forget all but these pictures, and what was found in others that are shown already."""
        of_pictures = (
            self._pictures,
            self._is_cut,
            self._sights,
            self._shows_face,
            self._can_be_key,
        )
        for found in of_pictures:
            _keep_only(found, pictures)
        for of_shown in (self._keys, self._glances):
            _keep_only(of_shown, {*shown, *pictures})
        self._analyses = {pair: a for pair, a in self._analyses.items() if pair[0] in pictures}

    def picture(self, number: int) -> Picture:
        """A picture that is kept."""
        return self._pictures[number]

    def coded_key(self, picture: int) -> tuple[bytes, FaceParameters, FloatArray | None]:
        """A picture coded as key picture: an Annex B stream, its face parameters and weights."""
        key = self._keys[picture]
        return key.stream, key.analysis.parameters, key.weights

    def parameters(self, picture: int, key: int) -> FaceParameters:
        """Face parameters of a picture with a face, relative to a key picture."""
        analysis = self._analysis(picture, key)
        assert analysis is not None
        return analysis.parameters

    def is_cut(self, picture: int) -> bool:
        """Whether a new scene starts with it."""
        return self._is_cut[picture]

    def shows_face(self, picture: int) -> bool:
        """Whether it shows a face, and no mixture of two."""
        if picture not in self._shows_face:
            sight = self._sights.get(picture)
            mixed = sight is not None and sight.mixed
            self._shows_face[picture] = not mixed and self._analyser.finds_face(
                self._pictures[picture]
            )
        return self._shows_face[picture]

    def can_be_key(self, picture: int) -> bool:
        """Whether it shows a face as key picture, too: it is coded to see that."""
        if picture not in self._can_be_key:
            self._can_be_key[picture] = self._code_key(picture)
        return self._can_be_key[picture]

    def _code_key(self, picture: int) -> bool:
        coded = self._base.code([self._pictures[picture]], self._qps)
        coded = replace(coded, post_filter=self._post_filter)
        analysis = self._analyser.analyse_key(coded.picture(0))
        if analysis is None:
            self.lost_keys += 1
            return False
        weights = self._model.value_weights(analysis.parameters)
        sight = self._sights.get(picture)
        self._keys[picture] = _Key(coded.stream, analysis, weights, sight)
        return True

    def is_like(self, picture: int, other: int) -> bool:
        """Whether one may stand for the other."""
        return self._glances[picture].is_like(self._glances[other])

    def is_lit_like(self, picture: int, other: int) -> bool:
        """Whether brightness and contrast are about the same."""
        return self._glances[picture].is_lit_like(self._glances[other])

    def best_key(self, pictures: Sequence[int]) -> int:
        """The first: pictures are coded as they come."""
        return pictures[0]

    def distance(self, picture: int, key: int) -> float | None:
        """How far its face lies from that of a key picture; None when it does not show that."""
        analysis, reference = self._analysis(picture, key), self._keys[key]
        if analysis is None:
            return None
        flatten = self._model.layout.flatten
        difference = flatten(analysis.parameters) - flatten(reference.analysis.parameters)
        return face_distance(difference, reference.weights)

    def change(self, picture: int, key: int) -> float:
        """How far its face is from being that of a key picture; from 1 on it is another's.

        0 where nothing was seen of one of them.
        """
        sight, of_key = self._sights.get(picture), self._keys[key].sight
        return 0.0 if sight is None or of_key is None else sight.change(of_key)

    def _analysis(self, picture: int, key: int) -> Analysis | None:
        pair = picture, key
        if pair not in self._analyses:
            reference = self._keys[key].analysis
            self._analyses[pair] = (
                self._analyser.analyse(self._pictures[picture], reference)
                if self.change(picture, key) < 1
                else None
            )
        return self._analyses[pair]


def _keep_only(found: dict[int, Any], kept: Collection[int]) -> None:
    for number in found.keys() - set(kept):
        del found[number]


def face_distance(difference: FloatArray, weights: FloatArray | None) -> float:
    """How far a face lies from that of its key picture, in hundredths of the distance of the eyes.

    It is how far landmarks lie apart on the mean, by pose and expression alike. `difference`
    [values] is that of their parameters; `weights` are those of `AnimationModel.value_weights`. A
    model without them sends keypoints or matrices of a size about 1, whose differences count as
    hundredths of that.
    """
    if weights is None:
        return float(100 * np.sqrt((difference**2).mean()))
    return float(np.sqrt(difference**2 @ weights))
