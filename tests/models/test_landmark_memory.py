"""What a tracker found, kept from one pass over a clip to the next."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models.contract import FloatArray, Picture
from models.face_tracking import FaceTracker
from models.landmark_memory import LandmarkMemory


class Looked:
    """Finds as many faces as the first sample of a picture says."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, picture: Picture) -> list[FloatArray]:
        self.times += 1
        count = int(picture[0, 0, 0])
        return [np.full((478, 3), np.float32(0.1 + face)).astype(float) for face in range(count)]


def picture_of(faces: int, shape: tuple[int, int] = (4, 6)) -> Picture:
    return np.full((*shape, 3), faces, np.uint8)


@pytest.mark.parametrize("faces", [0, 1, 3])
def test_a_picture_is_looked_at_once(faces: int) -> None:
    memory, look = LandmarkMemory(10), Looked()
    first = memory.find(picture_of(faces), look)
    again = memory.find(picture_of(faces).copy(), look)
    assert look.times == 1
    assert len(first) == len(again) == faces
    for found, kept in zip(first, again, strict=True):
        assert kept.dtype == np.float64
        assert np.array_equal(found, kept)


def test_pictures_of_the_same_bytes_differ_by_shape() -> None:
    memory, look = LandmarkMemory(10), Looked()
    memory.find(picture_of(1, (4, 6)), look)
    memory.find(picture_of(1, (6, 4)), look)
    assert look.times == 2


def test_no_more_is_kept_than_was_asked_for() -> None:
    memory, look = LandmarkMemory(2), Looked()
    for _ in range(2):
        for faces in (1, 2, 3):
            assert len(memory.find(picture_of(faces), look)) == faces
    # The third was looked at twice.
    assert look.times == 4


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
