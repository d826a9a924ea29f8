"""Head pose and expression: from 478 landmarks to a short parameter vector and back.

A face is its own rest shape, deformed by a few expression coefficients, then rotated, scaled
and moved as a whole (weak perspective):

    landmarks = scale * R(rotation) (rest + basis . coefficients) + translation

The rest shape is the key picture's own, so who the person is costs nothing. Pose is found by
weighted Procrustes analysis (Umeyama, "Least-squares estimation of transformation parameters
between two point patterns", 1991), expression by projection on an orthonormal basis.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.contract import FloatArray


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Rotation matrix [3, 3], scale (> 0) and translation [3] from rest shape to landmarks."""

    rotation: FloatArray
    scale: float
    translation: FloatArray

    def apply(self, shape: FloatArray) -> FloatArray:
        """Pose a shape [N, 3]."""
        posed: FloatArray = self.scale * shape @ self.rotation.T + self.translation
        return posed

    def remove(self, landmarks: FloatArray) -> FloatArray:
        """Undo the pose: landmarks [N, 3] in the frame of the rest shape."""
        shape: FloatArray = (landmarks - self.translation) @ self.rotation / self.scale
        return shape


def find_pose(shape: FloatArray, landmarks: FloatArray, weights: FloatArray) -> HeadPose:
    """The similarity that best takes a shape [N, 3] to landmarks [N, 3], weighted by [N]."""
    weights = weights / weights.sum()
    shape_centre = weights @ shape
    landmark_centre = weights @ landmarks
    centred = shape - shape_centre
    covariance = (landmarks - landmark_centre).T @ (centred * weights[:, None])
    left, singular, right = np.linalg.svd(covariance)
    # A reflection would fit as well as a rotation; the last axis pays for refusing it.
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float((singular * signs).sum() / (weights @ (centred**2).sum(axis=1)))
    return HeadPose(rotation, scale, landmark_centre - scale * rotation @ shape_centre)


def pose_to_values(pose: HeadPose) -> FloatArray:
    """Pose as 6 numbers: rotation vector (radians), x and y translation, log of the scale."""
    vector = cv2.Rodrigues(pose.rotation)[0][:, 0]
    return np.concatenate([vector, pose.translation[:2], [np.log(pose.scale)]]).astype(np.float64)


def values_to_pose(values: FloatArray) -> HeadPose:
    """The pose of 6 numbers; depth is not sent, and is 0."""
    rotation = cv2.Rodrigues(np.asarray(values[:3], np.float64))[0]
    translation = np.array([values[3], values[4], 0.0])
    return HeadPose(rotation.astype(np.float64), float(np.exp(values[5])), translation)
