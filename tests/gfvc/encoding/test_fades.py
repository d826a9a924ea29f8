from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from gfvc.encoding.scene_changes import Fades
from models.contract import Picture


def fading(pictures: list[Picture], rate: int = 25) -> list[int]:
    fades = Fades(Fraction(rate))
    return [n for n, picture in enumerate(pictures) if fades.is_fading(picture)]


def test_fades_from_black_and_to_white(demo_pictures: list[Picture]) -> None:
    first = demo_pictures[:20]
    black = [np.asarray(p * min(1.0, n / 15), np.uint8) for n, p in enumerate(first)]
    white = [np.asarray(255 - (255 - p) * (1 - n / 20), np.uint8) for n, p in enumerate(first)]
    assert fading(black)[:8] == list(range(6, 14))
    assert len(fading(white)) > 10


@pytest.mark.parametrize("rate", [10, 25, 50])
def test_a_cross_fade(demo_pictures: list[Picture], rate: int) -> None:
    length = rate
    one, other = demo_pictures[0], np.ascontiguousarray(255 - demo_pictures[5][:, ::-1])
    clip = [
        np.asarray(cv2.addWeighted(one, 1 - w, other, w, 0), np.uint8)
        for w in np.clip((np.arange(2 * length) - 3) / length, 0, 1)
    ]
    found = fading(clip, rate)
    assert len(found) > 0.6 * length
    assert 3 < min(found) < 3 + length // 2
    assert 2 + length // 2 < max(found) < 2 + length + rate


def test_talking_and_stillness_are_no_fades(demo_pictures: list[Picture]) -> None:
    # A head that turns looks like one for a moment.
    assert len(fading(demo_pictures)) <= 3
    assert fading(demo_pictures[:1] * 20) == []
    cut = [*demo_pictures[:10], *(np.asarray(255 - p, np.uint8) for p in demo_pictures[10:20])]
    assert not any(9 < n < 20 for n in fading(cut))
