"""Drawing a face anew with its landmarks elsewhere."""

from __future__ import annotations

import numpy as np

from models.contract import FloatArray, Picture
from models.mesh.flow import BackwardFlow, Float32Array, warp
from models.mesh.mouth import MouthInterior


class LandmarkWarp:
    """A picture [H, W, 3] with its landmarks [478, 2 or 3], ready to be bent."""

    def __init__(self, picture: Picture, landmarks: FloatArray) -> None:
        self._picture = picture
        self._landmarks = _plane(landmarks)
        self._mouth = MouthInterior(picture, self._landmarks)

    def draw(self, landmarks: FloatArray) -> Picture:
        """The picture bent so that its landmarks lie at the given ones [478, 2 or 3]."""
        driven = _plane(landmarks)
        height, width = self._picture.shape[:2]
        displacement = BackwardFlow(self._landmarks, driven).dense(width, height)
        return self._mouth.paint(warp(self._picture, displacement), driven)


def _plane(landmarks: FloatArray) -> Float32Array:
    return landmarks[:, :2].astype(np.float32)
