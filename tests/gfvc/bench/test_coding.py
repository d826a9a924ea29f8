"""Which key picture belongs to which decoded picture."""

from __future__ import annotations

import numpy as np

from gfvc.bench.coding import with_first_picture, with_key_pictures
from gfvc.video_reader import Picture


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
