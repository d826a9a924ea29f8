"""Facts that are seen in the pictures alone."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gfvc.encoding.face_watch import FaceSight, FaceWatch
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.tracked_facts import TrackedFacts
from models import default_registry
from models.contract import Picture


def test_a_face_that_looks_mixed_is_driven_but_no_key_picture(
    demo_pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A light that changes looks like a fade for a moment: nothing is lost by that."""
    see = FaceWatch.see
    seen: list[FaceSight] = []

    def mixed(self: FaceWatch, picture: Picture, landmarks: object) -> FaceSight | None:
        sight = see(self, picture, landmarks)  # type: ignore[arg-type]
        assert sight is not None
        seen.append(sight)
        return FaceSight(sight.appearance, sight.person, mixed=len(seen) == 2)

    monkeypatch.setattr(FaceWatch, "see", mixed)
    model = default_registry().find("mesh").load()
    with model.open_analyser() as analyser, PictureStore() as store:
        facts = TrackedFacts([analyser], Fraction(25), store)
        for number, picture in enumerate([*demo_pictures[:3], np.zeros_like(demo_pictures[0])]):
            if number == 3:
                monkeypatch.setattr(FaceWatch, "see", see)
            facts.add(number, picture)
        assert [facts.shows_face(n) for n in range(4)] == [True, False, True, False]
        assert [facts.can_be_key(n) for n in range(4)] == [True, False, True, False]
        assert [facts.distance(n, 0) for n in range(4)] == [0.0, 0.0, 0.0, None]
        assert facts.best_key([0, 2]) in (0, 2)
        facts.keep([2], [])
        with pytest.raises(KeyError):
            facts.is_cut(0)
