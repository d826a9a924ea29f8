"""Flicker: motion of the source is no flicker, noise and pulsing light are."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.metrics import Flicker, FlickerMeasure
from models.contract import FloatArray, Picture


def all_kinds(sources: list[Picture], decoded: list[Picture]) -> list[Flicker]:
    measure = FlickerMeasure()
    found = [measure.add(*pair) for pair in zip(sources, decoded, strict=True)]
    assert found[0] is None
    return [each for each in found if each is not None]


def flicker(sources: list[Picture], decoded: list[Picture]) -> list[float]:
    return [each.change for each in all_kinds(sources, decoded)]


def test_equal_pictures_have_none(demo_pictures: list[Picture]) -> None:
    still = demo_pictures[:1] * 3
    assert flicker(still, still) == pytest.approx([0, 0], abs=1e-6)


def test_pulsing_light_reads_in_levels_of_luma(demo_pictures: list[Picture]) -> None:
    still = [np.asarray(demo_pictures[0] // 2, np.uint8)] * 3
    pulsing = [still[0], still[0] + np.uint8(8), still[0]]
    assert flicker(still, pulsing) == pytest.approx([8, 8], abs=0.01)


def test_motion_that_both_have_is_no_flicker(demo_pictures: list[Picture]) -> None:
    sources = [np.roll(demo_pictures[0], 2 * step, axis=1)[16:-16, 16:-16] for step in range(4)]
    moving = flicker(sources, sources)
    standing = flicker(sources, sources[:1] * 4)
    for moved, stood in zip(moving, standing, strict=True):
        assert moved < 0.25 * stood


def noise(count: int, size: int, deviation: float) -> list[FloatArray]:
    random = np.random.default_rng(0)
    return [random.normal(0, deviation, (size, size, 1)) for _ in range(count)]


def added(picture: Picture, change: FloatArray | float) -> Picture:
    return np.asarray(np.clip(np.rint(picture + change), 0, 255), np.uint8)


def test_noise_flickers_more_than_the_source(demo_pictures: list[Picture]) -> None:
    noisy = [
        added(picture, each)
        for picture, each in zip(demo_pictures[:3], noise(3, 256, 6), strict=True)
    ]
    quiet, loud = flicker(demo_pictures[:3], demo_pictures[:3]), flicker(demo_pictures[:3], noisy)
    for before, after in zip(quiet, loud, strict=True):
        assert after > before + 1


def texture(size: int = 128) -> Picture:
    """Blocks of 8 samples in the middle of the range."""
    blocks = np.random.default_rng(1).integers(80, 170, (size // 8, size // 8))
    return np.asarray(np.kron(blocks, np.ones((8, 8)))[..., None].repeat(3, axis=2), np.uint8)


@pytest.mark.parametrize("size", [2, 12])
def test_what_comes_and_goes_over_a_still_source_reads_its_size(size: int) -> None:
    still = [texture()] * 5
    alternating = [added(picture, size * (step % 2)) for step, picture in enumerate(still)]
    for found in all_kinds(still, alternating):
        assert found.still == pytest.approx(size)
        assert found.moving is None  # nothing moves


def test_flicker_of_the_source_itself_is_none() -> None:
    pulsing = [added(texture(), 12 * (step % 2)) for step in range(4)]
    for found in all_kinds(pulsing, pulsing):
        assert found.change > 5
        assert found.still is None  # all of it changes
        assert found.moving == pytest.approx(0, abs=1e-9)


def test_an_error_that_stands_still_is_none() -> None:
    still = [texture()] * 3
    for found in all_kinds(still, [added(picture, 15) for picture in still]):
        assert found.still == pytest.approx(0, abs=1e-9)


def test_noise_too_fine_to_be_seen_counts_little() -> None:
    still = [texture(256)] * 3
    fine = [added(picture, each) for picture, each in zip(still, noise(3, 256, 4), strict=True)]
    for found in all_kinds(still, fine):
        assert found.still is not None
        # Of white noise a Gaussian of deviation s leaves 1 / (2 s sqrt(pi)) of the deviation.
        expected = 4 * np.sqrt(2) * np.sqrt(2 / np.pi) / (2 * 2 * np.sqrt(np.pi))
        assert found.still == pytest.approx(expected, rel=0.1)
        assert found.change > 4 * found.still


def test_still_and_moving_parts_are_told_apart() -> None:
    """The lower half moves by two samples a picture; only there the decoded one stands still."""
    moving = [texture(), *(np.roll(texture(), 2 * step, axis=1) for step in (1, 2))]
    sources = []
    for picture in moving:
        both = texture()
        both[64:] = picture[64:]
        sources.append(both)
    for found in all_kinds(sources, sources[:1] * 3):
        assert found.still is not None
        assert found.moving is not None
        assert found.still < 1
        assert found.moving > 5
    for found in all_kinds(sources, sources):
        assert [found.still, found.moving] == pytest.approx([0, 0])
