"""What of a painted picture is taken from bent references, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from models.contract import Float32Array, Picture
from models.face.bent import MOST_BENT, with_bent

SIZE = 64


def grey(level: int) -> Picture:
    return np.full((SIZE, SIZE, 3), level, np.uint8)


def lead(value: float) -> Float32Array:
    return np.full((16, 16), value, np.float32)


def drawn(painted: int, first: int, second: int, value: float = 0.0) -> int:
    mixed = with_bent(grey(painted), (grey(first), grey(second)), lead(value))
    assert np.ptp(mixed) == 0
    return int(mixed[0, 0, 0])


def test_where_all_agree_most_is_bent() -> None:
    assert drawn(100, 104, 104) == round(100 + 4 * MOST_BENT * np.exp(-((4 / 20) ** 2)))


@pytest.mark.parametrize(("value", "expected"), [(-20.0, 100), (20.0, 106), (0.0, 103)])
def test_the_likelier_reference_counts(value: float, expected: int) -> None:
    """Painted as expected, so that nothing is mixed but the two."""
    assert drawn(expected, 100, 106, value) == expected


def test_where_references_differ_the_painted_picture_stays() -> None:
    assert drawn(120, 100, 180) == 120


def test_what_was_painted_otherwise_stays() -> None:
    assert drawn(20, 120, 120) == 20


def test_places_are_told_apart() -> None:
    painted, bent = grey(100), grey(104)
    bent[:, 32:] = 200
    mixed = with_bent(painted, (bent, bent), lead(0.0))
    assert (mixed[:, :20] > 101).all()
    assert (mixed[:, 44:] == 100).all()
