"""Choosing one square for a clip."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc import InputError
from gfvc.crop import require_square, square_around, whole_square
from gfvc.rectangle import Rectangle
from models.landmarks.tracking import FaceBox


def face(x: float, y: float, side: float = 100.0) -> FaceBox:
    """The box of a face around (x, y)."""
    return FaceBox(x - side / 2, y - side / 2, side, side)


boxes = st.lists(
    st.builds(face, st.floats(-50, 2000), st.floats(-50, 1200), st.floats(5, 900)), min_size=1
)
sides = st.integers(64, 2000)


@given(boxes, sides, sides)
def test_a_square_lies_inside_the_picture(found: list[FaceBox], width: int, height: int) -> None:
    square = square_around(found, width, height)
    assert square.width == square.height >= 1
    assert 0 <= square.left <= width - square.width
    assert 0 <= square.top <= height - square.height


def contains(square: Rectangle, box: FaceBox) -> bool:
    return (
        square.left <= box.left
        and square.top <= box.top
        and square.left + square.width >= box.left + box.width
        and square.top + square.height >= box.top + box.height
    )


def test_a_face_that_keeps_still_has_room_for_hair_and_shoulders() -> None:
    square = square_around([face(960, 500)] * 5, 1920, 1080)
    assert contains(square, face(960, 500))
    assert 170 < square.width < 260
    assert abs(square.left + square.width / 2 - 960) < 3


def test_a_face_that_moves_stays_inside() -> None:
    path = [face(600 + 40 * step, 500) for step in range(10)]
    square = square_around(path, 1920, 1080)
    assert all(contains(square, box) for box in path)


def test_a_single_wrong_detection_hardly_matters() -> None:
    steady = [face(960, 500)] * 99
    wrong = face(1700, 200)
    assert square_around([*steady, wrong], 1920, 1080) == square_around(steady, 1920, 1080)


def test_a_face_at_the_border_gets_a_square_within() -> None:
    square = square_around([face(20, 30)], 640, 360)
    assert (square.left, square.top) == (0, 0)


def test_the_middle_square() -> None:
    assert whole_square(640, 360) == Rectangle(140, 0, 360, 360)
    assert whole_square(360, 641) == Rectangle(0, 140, 360, 360)


def test_only_a_square_is_taken_whole() -> None:
    assert require_square(Path("in.mp4"), 300, 300) == Rectangle(0, 0, 300, 300)
    with pytest.raises(InputError, match=r"in\.mp4: is 300x200"):
        require_square(Path("in.mp4"), 300, 200)
