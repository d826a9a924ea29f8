"""What lies between two coded pictures, beside the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.whole_pictures.surroundings import Surroundings
from models.contract import Picture


def scene(left: int) -> Picture:
    """A textured disc before a textured wall, its middle so far to the right."""
    noise = np.random.default_rng(1).integers(0, 255, (24, 40, 3), np.uint8)
    wall = cv2.GaussianBlur(cv2.resize(noise, (320, 192)), (0, 0), 3)
    texture = cv2.resize(np.roll(noise, 7, axis=0), (320, 192), interpolation=cv2.INTER_CUBIC)
    moved = np.roll(texture, left - 100, axis=1)
    disc = np.zeros((192, 320), np.float32)
    cv2.circle(disc, (left, 96), 40, (1.0,), -1, cv2.LINE_AA)
    mixed = wall * (1 - disc[..., None]) + moved * disc[..., None]
    return np.asarray(np.rint(mixed), np.uint8)


def difference(first: Picture, second: Picture) -> float:
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


def test_what_stands_still_stays() -> None:
    picture = scene(100)
    between = Surroundings(picture, picture)
    for position in (0.0, 0.3, 1.0):
        assert np.array_equal(between.at(position, position), picture)


def test_a_fade_is_one() -> None:
    dark, light = np.full((64, 96, 3), 100, np.uint8), np.full((64, 96, 3), 102, np.uint8)
    assert int(Surroundings(dark, light).at(0.5, 0.5)[30, 40, 0]) == 101


def test_what_moves_is_halfway_at_half_the_time() -> None:
    earlier, later = scene(100), scene(116)
    between = Surroundings(earlier, later)
    middle = scene(108)
    mixed = np.asarray(cv2.addWeighted(earlier, 0.5, later, 0.5, 0), np.uint8)
    assert difference(between.at(0.5, 0.5), middle) < 0.5 * difference(mixed, middle)


@pytest.mark.parametrize(("position", "left"), [(0.0, 100), (1.0, 116)])
def test_the_ends_are_the_coded_pictures(position: float, left: int) -> None:
    found = Surroundings(scene(100), scene(116)).at(position, position)
    assert difference(found, scene(left)) < 0.5


def test_what_cannot_be_told_is_not_mixed() -> None:
    """Two pictures that have nothing in common: the nearer one is shown, not both at a time."""
    generator = np.random.default_rng(2)
    one, other = (generator.integers(0, 255, (12, 16, 3), np.uint8) for _ in range(2))
    earlier, later = (
        np.asarray(cv2.resize(each, (160, 120), interpolation=cv2.INTER_NEAREST), np.uint8)
        for each in (one, other)
    )
    early = Surroundings(earlier, later).at(0.25, 0.25)
    assert difference(early, earlier) < 0.25 * difference(early, later)


def test_motion_follows_its_progress_and_not_time() -> None:
    behind = Surroundings(scene(100), scene(116)).at(0.5, 0.25)
    assert difference(behind, scene(104)) < 0.5 * difference(behind, scene(108))
