"""Who is shown, from picture to picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc.encoding.face_watch import FaceSight, FaceWatch
from gfvc.video_reader import read_pictures
from models.contract import Picture
from models.landmarks.tracking import FaceTracker
from tests.conftest import find_shared

RATE = Fraction(25)


@pytest.fixture(scope="module")
def tracker() -> Iterator[FaceTracker]:
    with FaceTracker() as tracker:
        yield tracker


def watch(
    pictures: list[Picture], tracker: FaceTracker, rate: Fraction = RATE
) -> list[FaceSight | None]:
    tracker.rewind()
    seeing = FaceWatch(rate)
    return [seeing.see(picture, tracker.track(picture)) for picture in pictures]


def persons(sights: list[FaceSight | None]) -> str:
    return "".join("-" if sight is None else str(sight.person) for sight in sights)


def changes(sights: list[FaceSight | None]) -> list[float]:
    """Of each picture against the first."""
    key = sights[0]
    assert key is not None
    return [0.0 if sight is None else sight.change(key) for sight in sights]


def painted(picture: Picture) -> Picture:
    """The face of somebody green."""
    return np.ascontiguousarray(picture[..., [1, 0, 2]])


def placed(picture: Picture, left: int, top: int) -> Picture:
    """A picture in which the face is small and elsewhere."""
    result = np.full_like(picture, 110)
    result[top : top + 128, left : left + 128] = cv2.resize(
        picture, (128, 128), interpolation=cv2.INTER_AREA
    )
    return result


def test_a_talking_head_is_one_person(demo_pictures: list[Picture], tracker: FaceTracker) -> None:
    sights = watch(demo_pictures, tracker)
    assert persons(sights) == "0" * len(demo_pictures)
    assert max(changes(sights)) < 0.7
    assert not any(sight is None or sight.mixed for sight in sights)


def test_another_in_the_same_place_and_back(
    demo_pictures: list[Picture], tracker: FaceTracker
) -> None:
    blank = np.full_like(demo_pictures[0], 110)
    clip = [*demo_pictures[:4], *map(painted, demo_pictures[4:8]), *demo_pictures[8:12]]
    sights = watch(clip, tracker)
    assert persons(sights) == "000011110000"
    assert min(changes(sights)[4:8]) >= 1
    assert max(changes(sights)[8:]) < 0.7
    # Also while no face is seen.
    clip = [*demo_pictures[:4], blank, blank, *map(painted, demo_pictures[6:9])]
    assert persons(watch(clip, tracker)) == "0000--111"
    clip = [*demo_pictures[:4], blank, blank, *demo_pictures[6:9]]
    assert persons(watch(clip, tracker)) == "0000--000"


def test_two_people_in_turn_at_two_places(
    demo_pictures: list[Picture], tracker: FaceTracker
) -> None:
    """Nobody glides from one place to the other."""
    here = [placed(p, 0, 20) for p in demo_pictures[:4]]
    there = [placed(p, 128, 20) for p in demo_pictures[4:8]]
    sights = watch([*here, *there], tracker)
    assert persons(sights) == "00001111"
    assert min(changes(sights)[4:]) >= 1


def test_a_cross_fade_mixes_two(demo_pictures: list[Picture], tracker: FaceTracker) -> None:
    count = len(demo_pictures)
    shares = np.clip((np.arange(count) - 4) / 15, 0, 1)
    clip = [
        np.asarray(cv2.addWeighted(picture, 1 - w, painted(picture), w, 0), np.uint8)
        for picture, w in zip(demo_pictures, shares, strict=True)
    ]
    sights = watch(clip, tracker)
    mixed = [n for n, sight in enumerate(sights) if sight is not None and sight.mixed]
    assert 8 < min(mixed) < 16
    assert max(mixed) >= 19
    assert min(changes(sights)[16:]) >= 1
    assert max(changes(sights)[:5]) < 1


def test_light_that_drifts_is_no_change(demo_pictures: list[Picture], tracker: FaceTracker) -> None:
    """As of a camera whose white balance settles."""
    shares = np.clip(np.arange(len(demo_pictures)) / 16, 0, 1)
    clip = [
        np.asarray(255 * np.clip(linear, 0, 1) ** (1 / 2.2) + 0.5, np.uint8)
        for linear in (
            (picture / 255.0) ** 2.2 * np.array([1.2, 1.0, 0.75]) ** share
            for picture, share in zip(demo_pictures, shares, strict=True)
        )
    ]
    sights = watch(clip, tracker)
    assert persons(sights) == "0" * len(clip)
    assert max(changes(sights)) < 1
    assert not any(sight is None or sight.mixed for sight in sights)


def _clip(name: str, pictures: int) -> list[Picture]:
    shared = find_shared()
    path = shared and Path(shared, "clips", "validation", name)
    if path is None or not path.is_file():
        pytest.skip("needs the clips")
    return list(islice(read_pictures(path, RATE), pictures))


def test_two_real_people(tracker: FaceTracker) -> None:
    one, other = _clip("dpe_s_0.mp4", 12), _clip("retalking_1_0.mp4", 12)
    sights = watch([*one, *other], tracker)
    assert persons(sights) == "0" * 12 + "1" * 12
    assert max(changes(sights)[:12]) < 1 <= min(changes(sights)[12:])
