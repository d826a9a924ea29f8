"""Flicker: motion of the source is no flicker, noise and pulsing light are."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.metrics import FlickerMeasure
from gfvc.video_reader import Picture


def flicker(sources: list[Picture], decoded: list[Picture]) -> list[float | None]:
    measure = FlickerMeasure()
    return [measure.add(*pair) for pair in zip(sources, decoded, strict=True)]


def test_the_first_picture_has_none(demo_pictures: list[Picture]) -> None:
    still = demo_pictures[:1] * 3
    assert flicker(still, still)[0] is None
    assert flicker(still, still)[1:] == pytest.approx([0, 0], abs=1e-6)


def test_pulsing_light_reads_in_levels_of_luma(demo_pictures: list[Picture]) -> None:
    still = [np.asarray(demo_pictures[0] // 2, np.uint8)] * 3
    pulsing = [still[0], still[0] + np.uint8(8), still[0]]
    assert flicker(still, pulsing)[1:] == pytest.approx([8, 8], abs=0.01)


def test_motion_that_both_have_is_no_flicker(demo_pictures: list[Picture]) -> None:
    sources = [np.roll(demo_pictures[0], 2 * step, axis=1)[16:-16, 16:-16] for step in range(4)]
    moving = flicker(sources, sources)[1:]
    standing = flicker(sources, sources[:1] * 4)[1:]
    for moved, stood in zip(moving, standing, strict=True):
        assert moved is not None
        assert stood is not None
        assert moved < 0.25 * stood


def test_noise_flickers_more_than_the_source(demo_pictures: list[Picture]) -> None:
    random = np.random.default_rng(0)
    noisy = [
        np.clip(picture.astype(np.int16) + random.normal(0, 6, picture.shape), 0, 255).astype(
            np.uint8
        )
        for picture in demo_pictures[:3]
    ]
    quiet, loud = flicker(demo_pictures[:3], demo_pictures[:3]), flicker(demo_pictures[:3], noisy)
    for before, after in zip(quiet[1:], loud[1:], strict=True):
        assert before is not None
        assert after is not None
        assert after > before + 1
