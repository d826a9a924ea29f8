"""Regions of a picture that landmarks mark, and how far landmarks lie from where they should be.

Landmarks are [478, 2 or 3] in picture widths and heights; a region is rows and columns, never
empty and within the picture.
"""

from __future__ import annotations

import numpy as np

from models.contract import FloatArray
from models.landmarks.points import (
    FACE_POINTS,
    LEFT_EYE_OUTER_CORNER,
    LIPS_OUTER,
    RIGHT_EYE_OUTER_CORNER,
)

Region = tuple[slice, slice]

# What a decoded picture counts in which no face is found any more.
FACE_LOST_ERROR = 1.0

_MOUTH_ENLARGEMENT = 1.5


def face_region(landmarks: FloatArray, width: int, height: int) -> Region:
    """Rows and columns of the bounding box of the 468 face points."""
    return _box(landmarks[:FACE_POINTS, :2] * (width, height), 1.0, width, height)


def mouth_region(landmarks: FloatArray, width: int, height: int) -> Region:
    """Rows and columns of the lips' bounding box, enlarged 1.5 times."""
    lips = landmarks[list(LIPS_OUTER), :2] * (width, height)
    return _box(lips, _MOUTH_ENLARGEMENT, width, height)


def _box(points: FloatArray, enlargement: float, width: int, height: int) -> Region:
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    half = (points.max(axis=0) - points.min(axis=0)) / 2 * enlargement
    left, top = np.clip(np.floor(centre - half), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(centre + half), (left + 1, top + 1), (width, height)).astype(
        int
    )
    return slice(top, bottom), slice(left, right)


def landmark_distance(source: FloatArray, decoded: FloatArray) -> float:
    """Mean 2D distance of the 468 face points over the distance of the outer eye corners.

    Landmarks are [478, 2 or 3] of two square pictures of one size.
    """
    distances = np.linalg.norm((source - decoded)[:FACE_POINTS, :2], axis=1)
    eyes = source[RIGHT_EYE_OUTER_CORNER, :2] - source[LEFT_EYE_OUTER_CORNER, :2]
    return float(distances.mean() / np.linalg.norm(eyes))
