"""Correcting tracked pose and expression by what the key picture shows when it is bent so.

A tracker looks at one picture at a time, and its landmarks wander by a pixel against the skin
they stand for. What is drawn from them is then off by that pixel. So the encoder bends the key
picture as the decoder will, finds the optical flow from there to the real picture, and moves
pose and expression where landmarks follow that flow (analysis by synthesis, as in Li et al.,
"3-D motion estimation in model-based facial image coding", 1993). The flow is that of Kroeger et
al., "Fast optical flow using dense inverse search", 2016.
"""

from __future__ import annotations

import cv2
import numpy as np

from models import landmarks as groups
from models.contract import FloatArray, Picture
from models.mesh.face_space import FaceSpace
from models.mesh.landmark_warp import LandmarkWarp
from models.mesh.parameters import FACE_VALUES, STEPS
from models.mesh.rest_face import RestFace

# Where skin moves with the landmarks. The outline of the face is not among them: the flow there
# is that of the background as often as that of the cheek.
ALIGNED_POINTS = np.array(
    sorted(
        {
            *groups.LIPS_OUTER,
            *groups.LIPS_INNER,
            *groups.RIGHT_EYE,
            *groups.LEFT_EYE,
            *groups.RIGHT_BROW,
            *groups.LEFT_BROW,
            *groups.NOSE,
            *groups.CHEEKS,
        }
    )
)
# Larger pictures are reduced to this: the flow is exact to a fraction of a pixel.
WORKING_SIZE = 256
# Standard deviation of the window in which a landmark's flow is averaged, in pixels.
FLOW_WINDOW = 2.0
# Flow that disagrees by more than this counts less (Huber, "Robust estimation of a location
# parameter", 1964): teeth that come into view have no counterpart. In pixels.
OUTLIER = 1.0
REWEIGHTINGS = 4
# What the tracker said against what the flow says: how much a landmark's squared distance from
# where it was tracked counts beside its squared distance from where the flow leads.
TRACKER_WEIGHT = 0.6
# Keeps the system regular when every landmark is an outlier.
RIDGE = 1e-3


class Alignment:
    """Aligns faces with one key picture.

    Args:
        space: the face space of the values.
        picture: the key picture uint8 RGB [height, width, 3].
        face: its face.
    """

    def __init__(self, space: FaceSpace, picture: Picture, face: RestFace) -> None:
        self._space = space
        self._face = face
        height, width = picture.shape[:2]
        scale = min(1.0, WORKING_SIZE / max(height, width))
        self._size = (max(1, round(width * scale)), max(1, round(height * scale)))
        self._warp = LandmarkWarp(self._reduced(picture), face.key_landmarks)
        self._optical_flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def align(self, picture: Picture, values: FloatArray) -> FloatArray:
        """Pose and expression [14] of a driven picture, from those that were tracked in it."""
        landmarks = self._face.landmarks(self._space, values)
        shifts = self._shifts(self._warp.draw(landmarks), self._reduced(picture), landmarks)
        moves = self._moves(values, landmarks)
        steps = _fit(shifts, moves, np.repeat(self._space.weights[ALIGNED_POINTS], 2))
        aligned: FloatArray = values + steps * STEPS
        return aligned

    def _reduced(self, picture: Picture) -> Picture:
        if picture.shape[1::-1] == self._size:
            return picture
        return np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)

    def _places(self, landmarks: FloatArray) -> FloatArray:
        """The aligned points in pixels, x and y, [M, 2]."""
        places: FloatArray = landmarks[ALIGNED_POINTS, :2] * self._size
        return places

    def _shifts(self, drawn: Picture, picture: Picture, landmarks: FloatArray) -> FloatArray:
        """How far the flow carries each point from the drawn to the real picture: [2 M] pixels."""
        grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (drawn, picture)]
        # mypy does not know that None lets it make the array.
        flow = self._optical_flow.calc(grey[0], grey[1], None)  # type: ignore[call-overload]
        flow = cv2.GaussianBlur(flow, (0, 0), FLOW_WINDOW)
        # A pixel's centre is half a pixel from its corner.
        at = (self._places(landmarks) - 0.5).astype(np.float32)
        shifts = cv2.remap(
            flow,
            at[:, None, 0],
            at[:, None, 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return shifts.reshape(-1).astype(np.float64)

    def _moves(self, values: FloatArray, landmarks: FloatArray) -> FloatArray:
        """How far a step of each value moves the points: [2 M, 14] pixels."""
        start = self._places(landmarks)
        moves = np.empty((start.size, FACE_VALUES))
        for number, step in enumerate(STEPS):
            changed = values.copy()
            changed[number] += step
            moved = self._places(self._face.landmarks(self._space, changed))
            moves[:, number] = (moved - start).ravel()
        return moves


def _fit(shifts: FloatArray, moves: FloatArray, weights: FloatArray) -> FloatArray:
    """Steps [14] whose moves [2 M, 14] follow the shifts [2 M], but not far."""
    weights = weights / weights.mean()
    stay = moves.T @ (moves * (TRACKER_WEIGHT * weights[:, None])) + RIDGE * np.eye(FACE_VALUES)
    steps = np.zeros(FACE_VALUES)
    for _ in range(REWEIGHTINGS):
        misses = np.abs(moves @ steps - shifts)
        trusted = moves * (weights / np.maximum(1.0, misses / OUTLIER))[:, None]
        steps = np.linalg.solve(moves.T @ trusted + stay, trusted.T @ shifts)
    return steps
