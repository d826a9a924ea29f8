"""A scene for tests of whole pictures: a face beside other things, as a user films it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.face_square import FaceSquare
from models.contract import Picture

WIDTH, HEIGHT, SIDE = 320, 192, 160
PLACE = FaceSquare(120, 24, SIDE)
"""Where the demo's pictures are in the scene."""


@pytest.fixture(scope="session")
def scenes(demo_pictures: list[Picture]) -> list[Picture]:
    """The demo's head in front of a wall, beside something that moves."""
    noise = np.random.default_rng(5).integers(60, 180, (12, 20, 3), np.uint8)
    wall = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    found = []
    for number, picture in enumerate(demo_pictures):
        scene = wall.copy()
        scene[PLACE.window] = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        cv2.circle(scene, (40, 60 + 2 * number), 16, (220, 40, 40), -1, cv2.LINE_AA)
        found.append(np.asarray(scene, np.uint8))
    return found
