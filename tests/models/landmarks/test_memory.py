"""What was computed of pictures, kept from one pass over a clip to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from gfvc.demo_clip import demo_still
from models import default_registry
from models.contract import FloatArray, Picture
from models.landmarks.alignment import Alignment
from models.landmarks.tracking import FaceTracker, Memory


class Sums:
    """Adds up arrays, and counts how often it really did."""

    def __init__(self, entries: int) -> None:
        self.memory: Memory[int] = Memory(entries)
        self.times = 0

    def of(self, *arrays: npt.NDArray[Any]) -> int:
        def added() -> int:
            self.times += 1
            return sum(int(array.sum()) for array in arrays)

        return self.memory.find(added, *arrays)


def test_the_same_is_computed_once() -> None:
    sums, picture = Sums(10), np.full((4, 6), 3, np.uint8)
    assert sums.of(picture) == sums.of(picture.copy()) == 72
    assert sums.times == 1


@pytest.mark.parametrize(
    "other",
    [
        (np.full((6, 4), 3, np.uint8),),
        (np.full((4, 6), 3, np.int8),),
        (np.full((4, 3), 3, np.uint8), np.full((4, 3), 3, np.uint8)),
        (np.full((4, 6), 2, np.uint8),),
    ],
    ids=["shape", "type", "number of arrays", "content"],
)
def test_other_arrays_are_others(other: tuple[npt.NDArray[Any], ...]) -> None:
    sums = Sums(10)
    sums.of(np.full((4, 6), 3, np.uint8))
    sums.of(*other)
    assert sums.times == 2


def test_no_more_is_kept_than_was_asked_for() -> None:
    sums = Sums(2)
    for _ in range(2):
        for value in (1, 2, 3):
            assert sums.of(np.array([value])) == value
    # The third was added up twice.
    assert sums.times == 4


def test_a_tracker_that_remembers_finds_the_same() -> None:
    still = demo_still(128)
    with FaceTracker() as plain, FaceTracker() as tracker:
        expected = plain.look(still)
        tracker.remember(1)
        first = tracker.track(still)
        tracker.rewind()
        again = tracker.track(still)
    assert expected is not None
    assert first is not None
    assert again is not None
    assert np.array_equal(first, expected)
    assert np.array_equal(again, expected)


def test_an_analyser_that_remembers_aligns_a_face_once(monkeypatch: pytest.MonkeyPatch) -> None:
    still = demo_still(128)
    moved = np.ascontiguousarray(np.roll(still, 3, axis=1))
    aligned = []
    align = Alignment.align

    def counted(self: Alignment, picture: Picture, tracked: FloatArray) -> FloatArray:
        aligned.append(picture)
        return align(self, picture, tracked)

    monkeypatch.setattr(Alignment, "align", counted)
    with default_registry().find("mesh").load().open_analyser(align=True) as analyser:
        analyser.remember(10)
        answers = []
        for _ in range(2):
            key = analyser.analyse_key(still)
            assert key is not None
            answers.append(analyser.analyse(moved, key))
        darker = analyser.analyse_key((still // 2).astype(np.uint8))
        assert darker is not None
        analyser.analyse(moved, darker)
    assert len(aligned) == 2
    first, again = answers
    assert first is not None
    assert again is not None
    for one, other in zip(first.parameters.matrices, again.parameters.matrices, strict=True):
        assert np.array_equal(one[1], other[1])
