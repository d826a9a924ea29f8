"""The clip that the demo and the tests are made of."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still, make_demo_clip, make_demo_scene
from gfvc.face_square import FaceSquare
from gfvc.picture_strip import write_strip
from models.contract import Picture
from models.landmarks.rims import MOUTH
from models.landmarks.tracking import FaceFinder, FaceTracker
from tests.gfvc.support import mean_difference


@pytest.mark.parametrize("size", [64, 256, 300])
def test_the_still_is_a_face_of_any_size(size: int) -> None:
    still = demo_still(size)
    assert still.shape == (size, size, 3)
    assert still.dtype == np.uint8
    with FaceTracker() as tracker:
        assert tracker.look(still) is not None


def test_the_face_turns_and_speaks(demo_pictures: list[Picture]) -> None:
    assert len(demo_pictures) == 30
    with FaceTracker() as tracker:
        tracked = [tracker.look(picture) for picture in demo_pictures[::3]]
    faces = [face for face in tracked if face is not None]
    assert len(faces) == 10
    openings = [MOUTH.opening(face[:, :2].astype(np.float32)) for face in faces]
    assert max(openings) > min(openings) + 0.05
    noses = np.array([face[4, 0] for face in faces])
    assert np.ptp(noses) > 0.02
    assert mean_difference(demo_pictures[0], demo_pictures[-1]) > 3


def test_the_clip_is_always_the_same(demo_pictures: list[Picture]) -> None:
    again = list(make_demo_clip(0.12))
    assert len(again) == 3
    for one, other in zip(again, demo_pictures, strict=False):
        np.testing.assert_array_equal(one, other)


def test_the_scene_is_a_whole_picture_with_the_same_face() -> None:
    pictures = list(make_demo_scene(0.5))
    assert len(pictures) == 12
    assert {picture.shape for picture in pictures} == {(360, 640, 3)}
    with FaceFinder() as finder:
        [face] = finder.find(pictures[0])
    assert 200 < face.centre[0] < 340
    # She moves, and what is beside her does not.
    assert mean_difference(pictures[0][60:200, 200:360], pictures[-1][60:200, 200:360]) > 2
    assert np.array_equal(pictures[0][:, 470:], pictures[-1][:, 470:])


def test_strips_are_no_larger_than_need_be(tmp_path: Path) -> None:
    write_strip(tmp_path / "strip.png", {"one": [np.zeros((720, 1280, 3), np.uint8)] * 3})
    strip = cv2.imread(str(tmp_path / "strip.png"))
    assert strip is not None
    assert strip.shape == (180, 96 + 3 * 320, 3)


def test_faces_of_whole_pictures_stand_below_them(tmp_path: Path) -> None:
    square = FaceSquare(600, 200, 320)
    whole = np.zeros((720, 1280, 3), np.uint8)
    whole[square.window] = (200, 20, 90)
    write_strip(tmp_path / "strip.png", {"one": [whole] * 2, "two": [whole] * 2}, [square] * 2)
    strip = cv2.imread(str(tmp_path / "strip.png"))
    assert strip is not None
    assert strip.shape == (2 * (180 + 320), 96 + 2 * 320, 3)
    for top in (180, 500 + 180):
        assert (strip[top : top + 320, 96:] == (90, 20, 200)).all()
    assert (strip[0:180, 96 : 96 + 140] == 0).all()
