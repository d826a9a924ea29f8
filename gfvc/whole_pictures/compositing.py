"""A face square and the picture around it: cut out, laid over so that no edge shows, landmarks."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from gfvc.face_square import DRAWN_SIDE, MAX_FACES, FaceSquare
from gfvc.scaling import Size, scale
from models.contract import Float32Array, FloatArray, Picture
from models.landmarks.fine_detail import MOST_SIDE

# The drawn square fades into the rest over this share of its side.
EDGE = 0.14


def cut_face(picture: Picture, square: FaceSquare) -> Picture:
    """The face square of a picture [H, W, 3], at the size that models see: [S, S, 3]."""
    return np.ascontiguousarray(scale(picture[square.window], (DRAWN_SIDE, DRAWN_SIDE)))


def fine_face(picture: Picture, square: FaceSquare) -> Picture | None:
    """The face square of a picture [H, W, 3] where it has more pixels than models see, [s, s, 3].

    None where it has not. There are no more than `fine_detail.MOST_SIDE` a side.
    """
    if square.side <= DRAWN_SIDE:
        return None
    side = min(square.side, MOST_SIDE)
    return np.ascontiguousarray(scale(picture[square.window], (side, side)))


def lay_over(
    rest: Picture, drawn: Picture, square: FaceSquare, before: tuple[FaceSquare, ...] = ()
) -> Picture:
    """A whole picture [H, W, 3] with a drawn face [S, S, 3] in its square; `rest` is kept.

    `before` are squares of other faces, which are in `rest`: where they overlap, each face keeps
    what is nearer to it.
    """
    height, width = rest.shape[:2]
    whole = rest.copy()
    region = np.ascontiguousarray(rest[square.window])
    matte = _matte(square, before, (width, height))
    face = scale(drawn, (square.side, square.side))
    whole[square.window] = cv2.blendLinear(face, region, matte, 1 - matte)
    return whole


@lru_cache(maxsize=2 * MAX_FACES)
def _matte(square: FaceSquare, before: tuple[FaceSquare, ...], size: Size) -> Float32Array:
    """1 within a square, falling smoothly to 0 at the sides beyond which there is a rest.

    And towards other squares, which have a part of it.
    """
    width, height = size
    side = square.side
    rows = _fade(side, at_start=square.top > 0, at_end=square.top + side < height)
    columns = _fade(side, at_start=square.left > 0, at_end=square.left + side < width)
    matte: Float32Array = np.outer(rows, columns).astype(np.float32)
    for other in before:
        nearer = _distances(square, other) - _distances(square, square)
        matte = matte * _smooth(0.5 + nearer / EDGE)
    matte.setflags(write=False)
    return matte


def _distances(square: FaceSquare, other: FaceSquare) -> Float32Array:
    """How far the pixels of a square are from the middle of another, in sides of that one."""
    pixels = np.arange(square.side, dtype=np.float32) + 0.5
    across = (square.left + pixels - other.left) / other.side - 0.5
    down = (square.top + pixels - other.top) / other.side - 0.5
    return np.asarray(np.hypot(down[:, None], across[None, :]), np.float32)


def _fade(side: int, *, at_start: bool, at_end: bool) -> Float32Array:
    """1 along a side of so many pixels, falling smoothly to 0 at its ends where asked for."""
    place = (np.arange(side, dtype=np.float32) + 0.5) / (EDGE * side)
    rise = _smooth(place)
    one = np.ones(side, np.float32)
    return np.minimum(rise if at_start else one, rise[::-1] if at_end else one)


def _smooth(values: Float32Array) -> Float32Array:
    """0 up to 0 and 1 from 1 on, with a smooth rise between."""
    rise = np.clip(values, 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise), np.float32)


def in_whole(landmarks: FloatArray | None, square: FaceSquare, whole: Picture) -> FloatArray | None:
    """Landmarks [478, 3] of a square in widths and heights of the whole picture [H, W, 3]."""
    if landmarks is None:
        return None
    corner, size = _corner_and_size(square, whole)
    seen: FloatArray = landmarks * (square.side / size) + corner / size
    return seen


def in_square(
    landmarks: FloatArray | None, square: FaceSquare | None, whole: Picture
) -> FloatArray | None:
    """Landmarks [478, 3] of a whole picture [H, W, 3] in widths and heights of its face square.

    Without a square, pictures are of the face, and so are their landmarks.
    """
    if landmarks is None or square is None:
        return landmarks
    corner, size = _corner_and_size(square, whole)
    inside: FloatArray = (landmarks * size - corner) / square.side
    return inside


def _corner_and_size(square: FaceSquare, whole: Picture) -> tuple[FloatArray, FloatArray]:
    """In pixels; depth is in widths of the picture, and begins where that of the square does."""
    height, width = whole.shape[:2]
    return np.array([square.left, square.top, 0.0]), np.array([width, height, width], np.float64)
