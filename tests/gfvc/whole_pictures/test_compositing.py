"""The face square in a whole picture."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.face_square import DRAWN_SIDE, FaceSquare
from gfvc.whole_pictures.compositing import EDGE, cut_face, fine_face, lay_over
from models.landmarks.fine_detail import MOST_SIDE


def test_the_face_fades_into_the_rest() -> None:
    rest = np.full((200, 300, 3), 10, np.uint8)
    drawn = np.full((DRAWN_SIDE, DRAWN_SIDE, 3), 210, np.uint8)
    square = FaceSquare(80, 40, 100)
    whole = lay_over(rest, drawn, square)
    assert (rest == 10).all()  # it is another's
    outside = np.ones((200, 300), bool)
    outside[square.window] = False
    assert (whole[outside] == 10).all()
    edge = round(EDGE * 100) + 1
    assert (whole[40 + edge : 140 - edge, 80 + edge : 180 - edge] == 210).all()
    # It rises steadily, and its outermost pixels are nearly the rest.
    row = whole[90, 80:130, 0].astype(int)
    assert row[0] < 15
    assert (np.diff(row) >= 0).all()


@pytest.mark.parametrize(
    ("square", "inside"),
    [
        (FaceSquare(0, 0, 128), (0, 0)),
        (FaceSquare(172, 72, 128), (199, 299)),
        (FaceSquare(0, 72, 128), (199, 0)),
    ],
)
def test_there_is_no_edge_at_the_border_of_the_picture(
    square: FaceSquare, inside: tuple[int, int]
) -> None:
    rest = np.zeros((200, 300, 3), np.uint8)
    drawn = np.full((DRAWN_SIDE, DRAWN_SIDE, 3), 255, np.uint8)
    assert (lay_over(rest, drawn, square)[inside] == 255).all()


def test_what_is_cut_is_what_is_laid_over() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (300, 400, 3), np.uint8)
    square = FaceSquare(70, 20, DRAWN_SIDE)
    assert np.array_equal(cut_face(picture, square), picture[20:276, 70:326])
    assert np.array_equal(lay_over(picture, cut_face(picture, square), square), picture)
    assert cut_face(picture, FaceSquare(0, 0, 64)).shape == (DRAWN_SIDE, DRAWN_SIDE, 3)


def test_a_face_that_models_see_reduced_is_at_hand_in_full() -> None:
    picture = np.random.default_rng(3).integers(0, 255, (1200, 1300, 3), np.uint8)
    assert fine_face(picture, FaceSquare(70, 20, DRAWN_SIDE)) is None
    square = FaceSquare(70, 20, DRAWN_SIDE + 2)
    whole = fine_face(picture, square)
    assert whole is not None
    assert np.array_equal(whole, picture[square.window])
    largest = fine_face(picture, FaceSquare(0, 0, 1200))
    assert largest is not None
    assert largest.shape == (MOST_SIDE, MOST_SIDE, 3)
