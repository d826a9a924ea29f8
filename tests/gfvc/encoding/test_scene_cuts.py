from __future__ import annotations

from fractions import Fraction

import numpy as np

from gfvc.encoding.scene_changes import Glance, SceneCuts
from models.contract import Picture


def cuts(pictures: list[Picture], rate: int = 25) -> list[int]:
    scenes = SceneCuts(Fraction(rate))
    return [index for index, picture in enumerate(pictures) if scenes.is_cut(Glance.at(picture))]


def test_a_cut_is_found_where_it_is(demo_pictures: list[Picture]) -> None:
    other = [np.ascontiguousarray(255 - picture[:, ::-1]) for picture in demo_pictures[:6]]
    assert cuts([*demo_pictures[:8], *other]) == [8]
    third = [np.ascontiguousarray(picture[::-1] // 3) for picture in demo_pictures[:3]]
    assert cuts([*demo_pictures[:8], *other, *third]) == [8, 14]


def test_the_end_of_a_flash_is_no_cut(demo_pictures: list[Picture]) -> None:
    flash = [np.full_like(demo_pictures[0], 255)] * 2
    assert cuts([*demo_pictures[:6], *flash, *demo_pictures[8:12]]) == [6]


def test_a_return_to_an_earlier_scene_is_a_cut(demo_pictures: list[Picture]) -> None:
    """Two who speak in turn, each seen again and again: only a flash is over at once."""
    one = [demo_pictures[0]] * 15
    other = [np.ascontiguousarray(255 - demo_pictures[0][:, ::-1])] * 15
    assert cuts(one + other + one + other + one) == [15, 30, 45, 60]
    # As long as a flash, by the clock.
    assert cuts(one + other[:12] + one) == [15]
    assert cuts(one + other + one, 50) == [15]
    assert cuts(one + other[:12] + one, 10) == [15, 27]


def test_motion_and_light_are_no_cuts(demo_pictures: list[Picture]) -> None:
    assert cuts(demo_pictures) == []
    fading = [
        (picture * (1 - i / 20)).astype(np.uint8) for i, picture in enumerate(demo_pictures[:20])
    ]
    assert cuts(fading) == []


def test_restless_pictures_raise_what_a_cut_is() -> None:
    """Stripes that jump by half their width at each picture differ by much, all the time."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, (np.arange(64) // 16) % 2 == 0] = 60
    restless = [np.roll(stripes, 16 * time, axis=1) for time in range(20)]
    found = cuts(restless)
    assert found
    assert max(found) < 5


def test_what_may_stand_for_another(demo_pictures: list[Picture]) -> None:
    """People who move do; what is darker, flatter or something else does not."""
    first, *others = map(Glance.at, demo_pictures[:6])
    assert all(first.is_like(other) for other in others)
    second = demo_pictures[1]
    for changed in (second // 2, second // 3 + 80, 255 - second, 0 * second):
        assert not first.is_like(Glance.at(changed.astype(np.uint8)))
    upside_down = Glance.at(np.ascontiguousarray(second[::-1]))
    assert not first.is_like(upside_down)
    assert first.is_lit_like(upside_down), "as a face that moves is"
    assert not first.is_lit_like(Glance.at(second // np.uint8(2)))
