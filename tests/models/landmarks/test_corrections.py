"""Some faces are aligned, and what that corrects serves for those between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import numpy as np
import pytest

from gfvc.demo_clip import make_demo_clip
from models import default_registry
from models.contract import FloatArray, Picture
from models.landmarks.alignment import Alignment
from models.landmarks.corrections import EVERY, Valued, spread, with_some_due
from models.landmarks.values import to_values

PICTURE = np.zeros((2, 2, 3), np.uint8)
FACE = np.zeros((478, 3))
PICTURES = 11


def due(faces: str) -> str:
    """Which of some pictures are due, where `o` has a face and `-` none."""
    tracked = [(PICTURE, FACE if face == "o" else None) for face in faces]
    marked = list(with_some_due(tracked))
    assert [one.landmarks is not None for one in marked] == [face == "o" for face in faces]
    return "".join("x" if one.due else face for one, face in zip(marked, faces, strict=True))


def test_ends_and_some_between_are_due() -> None:
    assert EVERY == 3
    assert due("") == ""
    assert due("o") == "x"
    assert due("oo") == "xx"
    assert due("oooooooo") == "xooxooxx"
    assert due("ooooooo") == "xooxoox"


def test_what_is_around_a_lost_face_is_due() -> None:
    assert due("-oooooo--oooo-") == "-xooxox--xoox-"


def corrected(*corrections: float | None) -> list[float | None]:
    """Corrections of pictures with values 10, as they are spread."""
    found = (
        Valued(PICTURE, np.array([10.0]), None if value is None else np.array([value]))
        for value in corrections
    )
    return [
        None if one.correction is None else round(float(one.correction[0]), 6)
        for one in spread(found)
    ]


def test_corrections_change_linearly() -> None:
    assert corrected(1.0, None, None, 4.0, None, 2.0) == [1, 2, 3, 4, 3, 2]


def test_ends_without_one_take_the_nearest() -> None:
    assert corrected(None, 3.0, None, None) == [3, 3, 3, 3]
    assert corrected(None, None) == [None, None]


def test_they_do_not_reach_over_pictures_without_a_face() -> None:
    ten, one, nine = np.array([10.0]), np.array([1.0]), np.array([9.0])
    found = [
        Valued(PICTURE, ten, one),
        Valued(PICTURE, ten),
        Valued(PICTURE, None),
        Valued(PICTURE, ten),
        Valued(PICTURE, ten, nine),
    ]
    values = [None if v.correction is None else float(v.correction[0]) for v in spread(found)]
    assert values == [1, 1, None, 9, 9]


def test_no_more_pictures_wait_than_lie_between() -> None:
    taken = 0

    def found() -> Iterator[Valued]:
        nonlocal taken
        for number in range(100):
            taken += 1
            is_due = number % EVERY == 0
            yield Valued(PICTURE, FACE, FACE if is_due else None)

    for number, _ in enumerate(islice(spread(found()), 50), 1):
        assert taken <= number + EVERY


@pytest.mark.parametrize("align", [True, False])
def test_a_third_is_aligned(align: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    aligned: list[FloatArray] = []
    shift = np.full(14, 0.01)

    def find(self: Alignment, picture: Picture, tracked: FloatArray) -> FloatArray:
        values = self._face.values(self._space, tracked)
        aligned.append(values)
        return np.asarray(values + shift * len(aligned))

    monkeypatch.setattr("models.landmarks.analysis.map_in_order", map)
    monkeypatch.setattr(Alignment, "align", find)
    pictures = list(make_demo_clip(1.0, 128))[:PICTURES]
    model = default_registry().find("mesh").load()
    with closing(model.open_analyser(align)) as analyser:
        key = analyser.analyse_key(pictures[0])
        assert key is not None
        found = list(analyser.analyse_many(pictures, key))
    with closing(model.open_analyser(False)) as analyser:
        plain_key = analyser.analyse_key(pictures[0])
        assert plain_key is not None
        plain = list(analyser.analyse_many(pictures, plain_key))
    assert len(found) == len(plain) == PICTURES
    steps = []
    for one, other in zip(found, plain, strict=True):
        assert one is not None
        assert other is not None
        change = to_values(one.parameters)[0] - to_values(other.parameters)[0]
        steps.append(round(float(change[0] / shift[0]), 3))
    if not align:
        assert aligned == []
        assert set(steps) == {0.0}
        return
    # Of 0, 3, 6, 9 and the last; between them it changes linearly.
    assert len(aligned) == 5
    expected = [1 + place / EVERY for place in range(PICTURES - 1)] + [5.0]
    assert steps == pytest.approx(expected, abs=0.002)
