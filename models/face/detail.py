"""Bringing a drawn face up to the detail that its key picture shows.

A network trained to be right on the mean draws a little too softly, some faces more than others.
Unsharp masking (Jain, "Fundamentals of Digital Image Processing", 1989, 7.4) is as strong as it
has to be, picture by picture, and nothing happens to a face that is sharp enough.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.contract import Float32Array, Picture
from models.landmarks.points import FACE_POINTS
from models.metrics.similarity import LUMA_WEIGHTS

WANTED_SHARE = 0.8
"""Share of the key picture's variance of the Laplacian that a drawn face gets at least."""

STRONGEST = 1.5
"""Most of the difference to the smoothed picture that is added; more shows as halos."""

_SMOOTHING = 1.0  # standard deviation in pixels
_LUMA = np.array([LUMA_WEIGHTS], np.float32)
_MARGIN = 4  # pixels around the face that the filters look at


def _face(landmarks: Float32Array, size: int) -> tuple[slice, slice]:
    """Rows and columns of the bounding box of a face [478, 2], at least 4 pixels each way."""
    points = landmarks[:FACE_POINTS] * size
    low = np.clip(np.floor(points.min(axis=0)), 0, size - 4).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), low + 4, size).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _laplacian(picture: Picture, landmarks: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Laplacian of luma in the face, and of luma less its smoothed self."""
    size = picture.shape[0]
    rows, columns = _face(landmarks, size)
    top, left = max(rows.start - _MARGIN, 0), max(columns.start - _MARGIN, 0)
    part = picture[top : rows.stop + _MARGIN, left : columns.stop + _MARGIN]
    luma = np.asarray(cv2.transform(part.astype(np.float32), _LUMA), np.float32)
    rest = luma - np.asarray(cv2.GaussianBlur(luma, (0, 0), _SMOOTHING), np.float32)
    inner = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    first, second = (np.asarray(cv2.Laplacian(x, cv2.CV_32F), np.float32) for x in (luma, rest))
    return first[inner], second[inner]


def detail(picture: Picture, landmarks: Float32Array) -> float:
    """Variance of the Laplacian of luma in the face.

    `picture` is [S, S, 3], `landmarks` are [478, 2] in picture widths.
    """
    return float(_laplacian(picture, landmarks)[0].var())


def restore_detail(picture: Picture, landmarks: Float32Array, key_detail: float) -> Picture:
    """Sharpen a drawn picture [S, S, 3] until its face has its share of `key_detail`."""
    first, second = _laplacian(picture, landmarks)
    missing = WANTED_SHARE * key_detail - float(first.var())
    if missing <= 0:
        return picture
    # var(first + a · second) = var(first) + 2a · cov + a² · var(second), solved for a.
    spread = float(second.var())
    shared = float(((first - first.mean()) * (second - second.mean())).mean())
    if spread <= 0:
        return picture
    strength = (np.sqrt(shared * shared + spread * missing) - shared) / spread
    amount = float(np.clip(strength, 0.0, STRONGEST))
    smooth = cv2.GaussianBlur(picture, (0, 0), _SMOOTHING)
    return np.asarray(cv2.addWeighted(picture, 1 + amount, smooth, -amount, 0), np.uint8)
