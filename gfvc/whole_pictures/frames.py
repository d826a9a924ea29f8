"""Landmarks of a face square, and the same in the whole picture around it."""

from __future__ import annotations

import numpy as np

from gfvc.face_square import FaceSquare
from models.contract import FloatArray, Picture


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
