"""Which key picture belongs to which decoded picture, and how a peer's pictures are shown."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from gfvc.bench.coding import (
    coded,
    reduced,
    repeated,
    with_first_picture,
    with_key_pictures,
)
from gfvc.bench.plan import PeerSettings
from gfvc.bench.source_video import SourceVideo
from gfvc.demo_clip import RATE
from gfvc.scaling import enlarged
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import mean_difference


def grey(level: int) -> Picture:
    return np.full((2, 2, 3), level, np.uint8)


def test_a_key_picture_is_valid_from_where_it_is_shown() -> None:
    shown = [grey(level) for level in (10, 11, 12, 50, 51, 10)]
    pairs = list(with_key_pictures(iter(shown), iter([grey(10), grey(50)])))
    assert [int(key[0, 0, 0]) for _, key in pairs] == [10, 10, 10, 50, 50, 50]
    assert [int(picture[0, 0, 0]) for picture, _ in pairs] == [10, 11, 12, 50, 51, 10]


def test_a_conventional_codec_has_its_first_picture() -> None:
    pairs = list(with_first_picture(iter([grey(1), grey(2), grey(3)])))
    assert [int(key[0, 0, 0]) for _, key in pairs] == [1, 1, 1]
    assert [int(picture[0, 0, 0]) for picture, _ in pairs] == [1, 2, 3]


def test_a_picture_of_half_the_rate_is_shown_twice() -> None:
    shown = list(repeated(iter([grey(1), grey(2)]), 2, 3))
    assert [int(picture[0, 0, 0]) for picture in shown] == [1, 1, 2]


def test_small_pictures_are_enlarged_in_place() -> None:
    """A ramp stays where it was, so that nothing is measured half a pixel off."""
    ramp = np.arange(0, 256, 4, dtype=np.float64)
    small = np.asarray(np.tile(ramp[None, :, None], (64, 1, 3)), np.uint8)
    large = enlarged(small, (128, 128))
    expected = 2 * np.arange(128) - 1
    assert large.shape == (128, 128, 3)
    assert np.abs(large[0, 8:-8, 0] - expected[8:-8]).max() <= 1
    assert enlarged(small, (64, 64)) is small


def test_whole_pictures_of_any_shape_have_even_halves() -> None:
    assert reduced((1280, 720), 2) == (640, 360)
    assert reduced((638, 358), 2) == (320, 180)
    assert reduced((640, 358), 4) == (160, 90)
    wide = np.zeros((180, 320, 3), np.uint8)
    assert enlarged(wide, (638, 358)).shape == (358, 638, 3)
    assert enlarged(wide, (320, 180)) is wide


@pytest.mark.program
@pytest.mark.parametrize("rate_reduction", [1, 2])
def test_a_peer_at_low_size_and_rate(
    tmp_path: Path, demo_pictures: list[Picture], rate_reduction: int
) -> None:
    pictures = demo_pictures[:7]
    path = write_video(tmp_path / "source.mkv", pictures, RATE)
    reference = SourceVideo(path, RATE, 7, (256, 256))
    settings = PeerSettings("vvenc", 12, 4, "random_access", "faster", rate_reduction)
    with coded(settings, reference, tmp_path) as result:
        shown = [picture for picture, _ in result.pictures]
    assert len(shown) == 7
    same = [np.array_equal(*pair) for pair in itertools.pairwise(shown)]
    assert same == [rate_reduction == 2 and number % 2 == 0 for number in range(6)]
    (of_pictures,) = result.picture_bits.values()
    assert sum(of_pictures) == result.bits
    assert [bits > 0 for bits in of_pictures] == [
        rate_reduction == 1 or number % 2 == 0 for number in range(7)
    ]
    assert mean_difference(shown[0], pictures[0]) < 12
