"""Regions of a picture that landmarks mark: the face, the mouth.

Landmarks are [478, 2 or 3] in picture widths and heights; a region is rows and columns, never
empty and within the picture.
"""

from __future__ import annotations

import numpy as np

from models.contract import FloatArray
from models.landmarks.points import FACE_POINTS, LIPS_OUTER

Region = tuple[slice, slice]

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
