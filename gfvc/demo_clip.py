"""Short talking-head clips that anyone may use, made from a still: of the face, and of a scene.

The still is scikit-image's `data.astronaut()` (Eileen Collins, NASA, public domain), which comes
with that package. The face turns, nods, blinks and moves its mouth as in speech; the pictures
are drawn by the landmark warp of the `mesh` model.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np

from gfvc.errors import GfvcError
from models.contract import FloatArray, Picture
from models.landmarks import points as groups
from models.landmarks.tracking import FaceTracker
from models.landmarks.warp import LandmarkWarp

RATE = Fraction(25)
# The square of the still that shows head and shoulders: left, top, side.
_PART = (102, 2, 240)
# Columns of the still that the scene shows, all of them, and the scene's size.
_SCENE_WIDTH = 512
_SCENE = (640, 360)
# The ellipse around her in the scene, centre and half axes, and how soft its edge is.
_HEAD = (285, 115), (145, 400)
_HEAD_EDGE = 10.0

_UPPER_LIDS = {
    "right": ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
    "left": ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)),
}
_BLINKS = (1.1, 3.3, 4.1)  # seconds, then again every _BLINK_PERIOD
_BLINK_PERIOD = 5.0
_BLINK_SECONDS = 0.28


def demo_still(size: int) -> Picture:
    """The face as a square uint8 RGB picture."""
    from skimage.data import astronaut

    left, top, side = _PART
    part = astronaut()[top : top + side, left : left + side]
    interpolation = cv2.INTER_AREA if size < side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (size, size), interpolation=interpolation), np.uint8)


def make_demo_clip(seconds: float, size: int = 256) -> Iterator[Picture]:
    """Pictures uint8 [size, size, 3] of the face, 25 a second."""
    still = demo_still(size)
    landmarks = _landmarks(still)
    bend = LandmarkWarp(still, landmarks)
    for moved in _performance(landmarks, seconds):
        yield bend.draw(moved)


def make_demo_scene(seconds: float) -> Iterator[Picture]:
    """Whole pictures uint8 [360, 640, 3], 25 a second: the face of `make_demo_clip`, and more.

    She stands before a flag and the model of a shuttle.
    """
    from skimage.data import astronaut

    left, top, side = _PART
    rows = _SCENE_WIDTH * _SCENE[1] // _SCENE[0]
    still = np.asarray(cv2.resize(astronaut()[:rows], _SCENE, interpolation=cv2.INTER_CUBIC))
    landmarks = _landmarks(demo_still(256))

    def in_scene(points: FloatArray) -> FloatArray:
        """Points of the face's square in widths and heights of the scene."""
        offset = np.array((left, top, 0.0))
        placed: FloatArray = (points * side + offset) / (_SCENE_WIDTH, rows, _SCENE_WIDTH)
        return placed

    bend = LandmarkWarp(still, in_scene(landmarks))
    # What is bent with her beside her is put back.
    head = np.zeros(still.shape[:2], np.float32)
    cv2.ellipse(head, *_HEAD, 0, 0, 360, (1.0,), cv2.FILLED)
    head = np.asarray(cv2.GaussianBlur(head, (0, 0), _HEAD_EDGE), np.float32)
    for moved in _performance(landmarks, seconds):
        drawn = bend.draw(in_scene(moved))
        yield np.asarray(cv2.blendLinear(drawn, still, head, 1 - head), np.uint8)


def _landmarks(still: Picture) -> FloatArray:
    with FaceTracker() as tracker:
        landmarks = tracker.look(still)
    if landmarks is None:
        raise GfvcError("the face tracker finds no face in scikit-image's astronaut")
    return landmarks


def _performance(landmarks: FloatArray, seconds: float) -> Iterator[FloatArray]:
    """The landmarks in each picture."""
    for index in range(round(seconds * RATE)):
        time = float(index / RATE)
        yield _move_head(_move_face(landmarks, time), time)


def _speech(time: float) -> float:
    """How far the jaw is open at a time, 0..1: syllables within phrases."""
    phrase = np.clip(1.6 * np.sin(2 * np.pi * time / 2.7 + 0.4) + 0.6, 0.0, 1.0)
    syllable = 0.5 + 0.5 * np.sin(2 * np.pi * 3.6 * time + 0.8 * np.sin(2 * np.pi * 1.3 * time))
    return float(phrase * syllable)


def _blink(time: float) -> float:
    """How far the eyes are closed at a time, 0..1."""
    nearest = min(abs(time % _BLINK_PERIOD - moment) for moment in _BLINKS)
    return float(np.cos(np.pi * nearest / _BLINK_SECONDS)) if nearest < _BLINK_SECONDS / 2 else 0.0


def _move_face(landmarks: FloatArray, time: float) -> FloatArray:
    """Blink, open the mouth, raise the brows."""
    moved = landmarks.copy()
    closed = _blink(time)
    for upper, lower in _UPPER_LIDS.values():
        lids = moved[list(upper), 1]
        moved[list(upper), 1] = lids + 0.92 * closed * (moved[list(lower), 1] - lids)
    height = landmarks[groups.CHIN, 1] - landmarks[groups.FOREHEAD, 1]
    lip_line = landmarks[[13, 14], 1].mean()
    # Everything below the lip line follows the jaw, the sides of the face less than the middle.
    depth = np.clip((landmarks[:, 1] - lip_line) / (landmarks[groups.CHIN, 1] - lip_line), 0, 1)
    middle = landmarks[groups.CHIN, 0]
    width = landmarks[454, 0] - landmarks[234, 0]
    centred = np.exp(-(((landmarks[:, 0] - middle) / (0.30 * width)) ** 2))
    below = (landmarks[:, 1] > lip_line).astype(np.float64)
    jaw = below * centred * (0.6 + 0.4 * depth)
    moved[:, 1] += 0.075 * height * _speech(time) * jaw
    brows = [*groups.RIGHT_BROW, *groups.LEFT_BROW]
    moved[brows, 1] -= 0.012 * height * max(0.0, np.sin(2 * np.pi * time / 3.1))
    return moved


def _move_head(landmarks: FloatArray, time: float) -> FloatArray:
    """Turn, nod and tilt the head about its middle, and let it sway."""
    yaw = 0.20 * np.sin(2 * np.pi * time / 4.3)
    pitch = 0.08 * np.sin(2 * np.pi * time / 2.9 + 0.7) - 0.08 * np.sin(0.7)
    roll = 0.06 * np.sin(2 * np.pi * time / 5.7)
    rotation = cv2.Rodrigues(np.array([pitch, yaw, roll]))[0]
    # The head turns about a point behind the face.
    pivot = landmarks.mean(axis=0) + np.array([0.0, 0.0, 0.10])
    sway = (0.015 * np.sin(2 * np.pi * time / 3.7), 0.008 * np.sin(2 * np.pi * time / 2.3), 0.0)
    turned: FloatArray = (landmarks - pivot) @ rotation.T + pivot + sway
    return turned
