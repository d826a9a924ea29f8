"""Measuring what makes a picture a good or a bad key picture (`gfvc.encoding.key_candidates`)."""

from __future__ import annotations

import cv2
import numpy as np

from gfvc.encoding.face_watch import FaceSight
from gfvc.encoding.key_candidates import KeyCandidate
from gfvc.metrics import face_region, luma
from gfvc.video_reader import Picture
from models.contract import FloatArray
from models.landmarks.face_space import shipped_face_space
from models.landmarks.plausibility import MeshJudge
from models.metrics.openings import openings

# Fine detail lies below the first scale, coarse detail between the two: standard deviations of
# Gaussians, in shares of the face's side.
FINE, COARSE = 0.01, 0.04
# Luma of 255 that is as good as black, and as white.
BLACK, WHITE = 20, 250


class KeyMeasurer:
    """Measures pictures, one by one."""

    def __init__(self) -> None:
        self._judge = MeshJudge(shipped_face_space())

    def measure(
        self, number: int, picture: Picture, landmarks: FloatArray, sight: FaceSight | None = None
    ) -> KeyCandidate:
        """Measure a square picture, uint8 RGB, whose face has landmarks [478, 3].

        `sight` is what a `FaceWatch` saw of it, if it is watched.
        """
        mesh = self._judge.measure(landmarks)
        size = picture.shape[0]
        region = face_region(landmarks, size, size)
        sharpness, contrast, clipped = _light(picture, region)
        opened = openings(landmarks)
        return KeyCandidate(
            picture=number,
            sharpness=sharpness,
            contrast=contrast,
            clipped=clipped,
            lids=opened.lids,
            lips=opened.lips,
            turn=max(abs(mesh.yaw), abs(mesh.pitch)),
            strain=mesh.strain,
            outside=mesh.outside,
            mixed=sight is not None and sight.mixed,
        )


def _light(picture: Picture, region: tuple[slice, slice]) -> tuple[float, float, float]:
    """Sharpness, contrast and clipped share of a region."""
    grey = luma(picture[region]).astype(np.float32)
    side = float(np.sqrt(grey.size))
    fine = cv2.GaussianBlur(grey, (0, 0), max(FINE * side, 0.5))
    coarse = cv2.GaussianBlur(grey, (0, 0), max(COARSE * side, 2.0))
    details = float((grey - fine).std()), float((fine - coarse).std())
    clipped = float(((grey <= BLACK) | (grey >= WHITE)).mean())
    return details[0] / max(details[1], 1e-3), float(grey.std()), clipped
