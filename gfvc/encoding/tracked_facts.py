"""What a planner asks that needs no coded picture: cuts, faces, who is shown, good key pictures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from gfvc.encoding.captions import caption_changes
from gfvc.encoding.face_places import FirstPlace
from gfvc.encoding.face_watch import FaceSight, FaceWatch
from gfvc.encoding.key_candidates import KeyCandidate, KeyMeasurer, best
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.scene_changes import Glance, SceneCuts
from models import Analyser
from models.contract import Picture

LATER_COST = 0.1
"""Quality that a second costs by which a key picture comes later.

The pictures before it are drawn from it alone, those after it from two coded pictures.
"""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a picture: whether a scene starts, its face, and how good a key it makes.

    `place` numbers where the first face is. `sight` and `candidate` are None without landmarks. A
    face that a fade mixes of two is `found`, and can be driven while it is not another's; but none
    to make a key picture of.
    """

    place: int
    glance: Glance
    is_cut: bool
    found: bool
    sight: FaceSight | None
    candidate: KeyCandidate | None


class TrackedFacts:
    """Facts about pictures (`gfvc.encoding.decisions.Facts`) from the pictures alone.

    A picture with a face can be a key picture and can be driven: how well is found out when the
    segment is complete. But a face that is another than that of a key picture is none to be driven
    by it, and one that a fade mixes of two is none to code as key picture. Pictures are looked at
    as they are added, `rate` a second, and go into `store`. There is one of `analysers` for each
    place where the first face may be; where that changes, a scene starts.
    """

    def __init__(self, analysers: Sequence[Analyser], rate: Fraction, store: PictureStore) -> None:
        self._analysers = analysers
        self._first_place = FirstPlace(analysers, rate)
        self._place = 0
        self._rate = rate
        self._store = store
        self._cuts = SceneCuts(rate)
        self._watch = FaceWatch(rate)
        self._measurer = KeyMeasurer()
        self._seen: dict[int, _Seen] = {}

    def add(self, number: int, picture: Picture) -> None:
        """Look at the next picture uint8 [height, width, 3], and store it."""
        self._store.add(number, picture)
        glance = Glance.at(picture)
        is_cut = self._cuts.is_cut(glance)
        before = self._place
        self._place = self._first_place.of(picture, starts_scene=is_cut)
        analyser = self._analysers[self._place]
        landmarks = analyser.landmarks(picture)
        face = analyser.face_picture(picture)
        sight = self._watch.see(face, landmarks)
        candidate = None
        if landmarks is not None:
            candidate = self._measurer.measure(number, face, landmarks, sight)
        found = analyser.finds_face(picture)
        starts = is_cut or self._place != before
        self._seen[number] = _Seen(self._place, glance, starts, found, sight, candidate)

    def keep(self, pictures: Collection[int], shown: Collection[int]) -> None:
        """Forget what was found in all but these pictures, and those that are shown already."""
        for number in self._seen.keys() - {*pictures, *shown}:
            del self._seen[number]

    def place(self, picture: int) -> int:
        """Where the first face is in a picture, by the number of the place."""
        return self._seen[picture].place

    def is_cut(self, picture: int) -> bool:
        """Whether a new scene starts with it."""
        return self._seen[picture].is_cut

    def shows_face(self, picture: int) -> bool:
        """Whether it shows a face that a key picture can be made of."""
        seen = self._seen[picture]
        return seen.found and not (seen.sight is not None and seen.sight.mixed)

    def can_be_key(self, picture: int) -> bool:
        """Whether it shows a face; whether it does as coded is found out later."""
        return self.shows_face(picture)

    def is_like(self, picture: int, other: int) -> bool:
        """Whether one may stand for the other."""
        return self._seen[picture].glance.is_like(self._seen[other].glance)

    def is_lit_like(self, picture: int, other: int) -> bool:
        """Whether brightness and contrast are about the same."""
        return self._seen[picture].glance.is_lit_like(self._seen[other].glance)

    def best_key(self, pictures: Sequence[int]) -> int:
        """Which of successive pictures with a face is the best to draw the others from.

        Of whole pictures, none with a caption that others before it do not have, or without one.
        """
        first = self._store[pictures[0]]
        if self._analysers[self._seen[pictures[0]].place].face_picture(first) is not first:
            changes = caption_changes(self._store[picture] for picture in pictures)
            pictures = pictures[: changes[0]] if changes else pictures
        seen = (self._seen[picture].candidate for picture in pictures)
        candidates = [candidate for candidate in seen if candidate is not None]
        return best(candidates, self._rate, LATER_COST).picture if candidates else pictures[0]

    def distance(self, picture: int, key: int) -> float | None:
        """None when a picture does not show the face of a key picture; else not known yet: 0."""
        seen, of_key = self._seen[picture], self._seen[key]
        other = seen.place != of_key.place or (
            seen.sight is not None
            and of_key.sight is not None
            and seen.sight.change(of_key.sight) >= 1
        )
        return None if other or not seen.found else 0.0
