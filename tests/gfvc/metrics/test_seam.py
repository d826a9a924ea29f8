"""How strong the edge of a face square is."""

from __future__ import annotations

import numpy as np
import pytest

from gfvc.face_square import FaceSquare
from gfvc.metrics.seam import seam_energy

SQUARE = FaceSquare(16, 8, 32)


def test_the_energy_is_that_across_the_border() -> None:
    picture = np.full((64, 96, 3), 100, np.uint8)
    assert seam_energy(picture, SQUARE) == 0
    picture[SQUARE.window] = 106
    assert seam_energy(picture, SQUARE) == pytest.approx(36)
    # What is not at the border counts nothing.
    picture[20:30, 30:40] = 255
    assert seam_energy(picture, SQUARE) == pytest.approx(36)
    # One of four sides.
    picture[:8] = 106
    assert seam_energy(picture, SQUARE) == pytest.approx(27)


def test_the_edge_of_the_picture_is_no_seam() -> None:
    picture = np.full((64, 64, 3), 100, np.uint8)
    picture[:, 32:] = 110
    assert seam_energy(picture, FaceSquare(0, 0, 64)) == 0
    # The right side alone has something beyond.
    assert seam_energy(picture[:32], FaceSquare(0, 0, 32)) == pytest.approx(100)
