"""Laying a drawn face square over the rest of a picture, so that no edge of it shows."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from gfvc.face_square import DRAWN_SIDE, FaceSquare
from gfvc.scaling import scale
from models.contract import Picture
from models.landmarks.flow import Float32Array

# The drawn square fades into the rest over this share of its side.
EDGE = 0.14


def cut_face(picture: Picture, square: FaceSquare) -> Picture:
    """The face square of a picture [H, W, 3], at the size that models see: [S, S, 3]."""
    return np.ascontiguousarray(scale(picture[square.window], (DRAWN_SIDE, DRAWN_SIDE)))


def lay_over(rest: Picture, drawn: Picture, square: FaceSquare) -> Picture:
    """A whole picture [H, W, 3] with a drawn face [S, S, 3] in its square; `rest` is kept."""
    height, width = rest.shape[:2]
    whole = rest.copy()
    region = np.ascontiguousarray(rest[square.window])
    matte = _window(square.side, _open_sides(square, width, height))
    face = scale(drawn, (square.side, square.side))
    whole[square.window] = cv2.blendLinear(face, region, matte, 1 - matte)
    return whole


_Sides = tuple[bool, bool, bool, bool]
"""Whether the picture goes on beyond the left, top, right and bottom side of a square."""


def _open_sides(square: FaceSquare, width: int, height: int) -> _Sides:
    return (
        square.left > 0,
        square.top > 0,
        square.left + square.side < width,
        square.top + square.side < height,
    )


@lru_cache(maxsize=8)
def _window(side: int, fades: _Sides) -> Float32Array:
    """1 within a square, falling smoothly to 0 at the sides beyond which there is a rest."""
    left, top, right, bottom = fades
    rows = _fade(side, at_start=top, at_end=bottom)
    columns = _fade(side, at_start=left, at_end=right)
    window = np.outer(rows, columns).astype(np.float32)
    window.setflags(write=False)
    return window


def _fade(side: int, *, at_start: bool, at_end: bool) -> Float32Array:
    """1 along a side of so many pixels, falling smoothly to 0 at its ends where asked for."""
    place = (np.arange(side, dtype=np.float32) + 0.5) / (EDGE * side)
    rise = np.clip(place, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    one = np.ones(side, np.float32)
    return np.minimum(rise if at_start else one, rise[::-1] if at_end else one)
