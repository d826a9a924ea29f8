"""Drawing a face anew with its landmarks elsewhere.

The picture is bent by the landmarks' flow. A warp can only stretch the line between closed lips
over the gap of an opening mouth. The inside of a mouth is dark, so the gap is darkened, the more
the further it opens beyond the key picture.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import Float32Array, FloatArray, Picture
from models.landmarks import points as groups
from models.landmarks.flow import backward_flow, plane, warp
from models.landmarks.rims import MOUTH

_INNER = list(groups.LIPS_INNER)
_LIPS = list(groups.LIPS_OUTER)

# Brightness of the inside of a mouth over that of the lips, and its reddish tint.
_SHADE = 0.42
_TINT = np.array([1.05, 0.92, 0.92], np.float32)
# Never quite opaque: what the warp stretched still gives the gap some texture.
_STRENGTH = 0.8
# Openings over the mouth's width: at the first the gap begins to show, at the second it is full.
_OPENS = 0.05
_OPEN = 0.35


class MouthInterior:
    """The inside of the mouth for one key picture."""

    def __init__(self, picture: npt.NDArray[np.uint8], landmarks: Float32Array) -> None:
        self._opening = MOUTH.opening(landmarks)
        height, width = picture.shape[:2]
        mask = np.zeros((height, width), np.uint8)
        lips = np.round(landmarks[_LIPS] * (width, height)).astype(np.int32)
        cv2.fillPoly(mask, [lips], (255,))
        mean = cv2.mean(picture, mask)[:3] if mask.any() else (96.0, 64.0, 64.0)
        self._colour = (np.array(mean, np.float32) * _SHADE * _TINT).clip(0, 255)

    def paint(
        self, picture: npt.NDArray[np.uint8], landmarks: Float32Array
    ) -> npt.NDArray[np.uint8]:
        """Darken the gap between the driven lips, where it is wider than in the key picture."""
        opened = MOUTH.opening(landmarks) - self._opening
        amount = float(np.clip((opened - _OPENS) / (_OPEN - _OPENS), 0.0, 1.0))
        if amount == 0.0:
            return picture
        height, width = picture.shape[:2]
        polygon = landmarks[_INNER]
        margin = 4
        low = np.floor(polygon.min(axis=0) * (width, height)).astype(int) - margin
        high = np.ceil(polygon.max(axis=0) * (width, height)).astype(int) + margin
        left, top = np.maximum(low, 0)
        right, bottom = np.minimum(high, (width, height))
        if left >= right or top >= bottom:
            return picture
        mask = np.zeros((bottom - top, right - left), np.uint8)
        # Subpixel corners keep the edge from jumping by whole pixels between pictures.
        shift = 4
        corners = (polygon * (width, height) - (left, top) - 0.5) * 2**shift
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], (255,), cv2.LINE_AA, shift)
        softness = max(1.0, width / 200)
        alpha = cv2.GaussianBlur(mask, (0, 0), softness).astype(np.float32) / 255 * amount
        painted = picture.copy()
        region = painted[top:bottom, left:right].astype(np.float32)
        region += alpha[..., None] * _STRENGTH * (self._colour - region)
        painted[top:bottom, left:right] = np.round(region).clip(0, 255).astype(np.uint8)
        return painted


class LandmarkWarp:
    """A picture [H, W, 3] with its landmarks [478, 2 or 3], ready to be bent."""

    def __init__(self, picture: Picture, landmarks: FloatArray) -> None:
        self._picture = picture
        self._landmarks = plane(landmarks)
        self._mouth = MouthInterior(picture, self._landmarks)

    def draw(self, landmarks: FloatArray) -> Picture:
        """The picture bent so that its landmarks lie at the given ones [478, 2 or 3]."""
        driven = plane(landmarks)
        return self.draw_along(self.flow(driven), driven)

    def flow(self, landmarks: Float32Array) -> Float32Array:
        """The displacements [H, W, 2] of `draw`, to landmarks [478, 2]."""
        height, width = self._picture.shape[:2]
        return backward_flow(self._landmarks, landmarks, (width, height))

    def draw_along(self, displacement: Float32Array, landmarks: Float32Array) -> Picture:
        """The picture read at displacements [H, W, 2], which bring its landmarks to [478, 2]."""
        return self._mouth.paint(warp(self._picture, displacement), landmarks)
