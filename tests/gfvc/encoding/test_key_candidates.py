"""Which picture of a half second is worth drawing others from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.encoding.key_candidates import KeyCandidate, KeyMeasurer, best, costs, faults
from models.contract import Picture
from models.landmarks.tracking import FaceTracker
from models.landmarks.warp import LandmarkWarp

RATE = Fraction(25)
GOOD = KeyCandidate(
    picture=0,
    sharpness=0.6,
    contrast=45.0,
    clipped=0.0,
    lids=0.1,
    lips=0.05,
    turn=5.0,
    strain=0.4,
    outside=0.0,
)

bad = st.fixed_dictionaries(
    {},
    optional={
        "sharpness": st.floats(0.01, 0.5),
        "contrast": st.floats(0, 35),
        "clipped": st.floats(0.1, 1),
        "lids": st.floats(0, 0.07),
        "turn": st.floats(12, 90),
        "strain": st.floats(0.7, 1),
        "outside": st.floats(0.05, 0.25),
        "mixed": st.just(True),
    },
)


def numbered(candidates: list[KeyCandidate]) -> list[KeyCandidate]:
    return [replace(candidate, picture=n) for n, candidate in enumerate(candidates)]


@given(fault=bad.filter(bool), place=st.integers(0, 12))
def test_every_fault_costs(fault: dict[str, float], place: int) -> None:
    candidates = [GOOD] * 13
    candidates[place] = replace(GOOD, **fault)  # type: ignore[arg-type]
    found = costs(numbered(candidates), RATE)
    assert (np.delete(found, place) < found[place]).sum() >= 11 or found[
        place
    ] > found.min() + 0.004
    assert best(numbered(candidates), RATE).picture == (1 if place == 0 else 0)


def test_the_first_of_equals_is_best_and_nothing_is_lost_by_order() -> None:
    assert best(numbered([GOOD] * 5), RATE).picture == 0
    shut = replace(GOOD, lids=0.02)
    candidates = numbered([shut, shut, GOOD, GOOD])
    assert best(candidates, RATE) == best(candidates[::-1], RATE) == candidates[2]
    assert best(candidates[:1], RATE) == candidates[0]
    with pytest.raises(ValueError, match="no candidate"):
        best([], RATE)


def test_eyes_that_stay_shut_are_those_of_the_person() -> None:
    assert not faults(numbered([replace(GOOD, lids=0.02)] * 4), RATE)["shut"].any()


def test_lips_that_move_fast_cost_on_both_sides() -> None:
    lips = [0.05, 0.05, 0.2, 0.35, 0.35, 0.35]
    found = faults(numbered([replace(GOOD, lips=opening) for opening in lips]), RATE)["lips"]
    assert found == pytest.approx([0, 3.75, 3.75, 3.75, 0, 0])
    # A picture that is missing between makes it no faster.
    pair = [replace(GOOD, lips=0.0), replace(GOOD, picture=5, lips=0.1)]
    assert faults(pair, RATE)["lips"] == pytest.approx([0.5, 0.5])


# --- Measured ---------------------------------------------------------------------------------

Spoil = Callable[[Picture, int], Picture]


@pytest.fixture(scope="module")
def tracker() -> Iterator[FaceTracker]:
    with FaceTracker() as tracker:
        yield tracker


def measured(pictures: list[Picture], tracker: FaceTracker) -> list[KeyCandidate]:
    measurer = KeyMeasurer()
    found = [tracker.look(picture) for picture in pictures]
    return [
        measurer.measure(number, picture, landmarks)
        for number, (picture, landmarks) in enumerate(zip(pictures, found, strict=True))
        if landmarks is not None
    ]


def from_black(picture: Picture, number: int) -> Picture:
    return np.asarray(picture * min(1.0, 0.1 + number / 9), np.uint8)


def from_white(picture: Picture, number: int) -> Picture:
    return np.asarray(255 - (255 - picture) * min(1.0, 0.1 + number / 9), np.uint8)


def finding_focus(picture: Picture, number: int) -> Picture:
    spread = 3.0 * (1 - number / 8)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), spread)) if spread > 0.3 else picture


@pytest.mark.parametrize("spoil", [from_black, from_white, finding_focus])
def test_a_fade_and_a_camera_that_finds_focus(
    spoil: Spoil, demo_pictures: list[Picture], tracker: FaceTracker
) -> None:
    pictures = [spoil(picture, number) for number, picture in enumerate(demo_pictures[:13])]
    assert best(measured(pictures, tracker), RATE).picture >= 8
    # Backwards, it is a fade to black and a camera that loses focus.
    backwards = pictures[::-1]
    assert best(measured(backwards, tracker), RATE).picture <= 4


def test_eyes_that_open_after_five_pictures(
    demo_pictures: list[Picture], tracker: FaceTracker
) -> None:
    pictures = []
    for number, picture in enumerate(demo_pictures[:13]):
        landmarks = tracker.look(picture)
        assert landmarks is not None
        closed = landmarks.copy()
        for upper, lower in (
            ((160, 159, 158), (144, 145, 153)),
            ((387, 386, 385), (373, 374, 380)),
        ):
            closed[list(upper)] += 0.9 * (landmarks[list(lower)] - landmarks[list(upper)])
        shut = LandmarkWarp(picture, landmarks).draw(closed)
        pictures.append(shut if number < 5 else picture)
    candidates = measured(pictures, tracker)
    assert max(c.lids for c in candidates[:5]) < min(c.lids for c in candidates[5:])
    assert best(candidates, RATE).picture >= 5


def test_a_good_beginning_is_kept(demo_pictures: list[Picture], tracker: FaceTracker) -> None:
    found = costs(measured(demo_pictures[:13], tracker), RATE)
    assert found[0] < found.min() + 0.02
