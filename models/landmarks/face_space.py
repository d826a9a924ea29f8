"""The space of faces: an average face, its pose, and a basis of expressions.

A face is its own rest shape, deformed by a few expression coefficients, then rotated, scaled
and moved as a whole (weak perspective):

    landmarks = scale * R(rotation) (rest + basis . coefficients) + translation

The rest shape is the key picture's own, so who the person is costs nothing. Pose is found by
weighted Procrustes analysis (Umeyama, "Least-squares estimation of transformation parameters
between two point patterns", 1991), expression by projection on an orthonormal basis.

The data file `models/data/mesh.safetensors` holds, for 478 points in a frame where the mean
shape has its weighted centre at the origin and a weighted mean square radius of 1:

    mean     float32 [478, 3]      the average face, looking straight ahead
    basis    float32 [K, 478, 3]   expressions, most common first, orthonormal under `weights`
    weights  float32 [478]         how much each point counts, sum 1
    spread   float32 [K]           standard deviation of each coefficient in the learning data
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray
from models.errors import CheckpointError, ModelError
from models.files import DATA, read_tensors
from models.importing import load
from models.landmarks import points as groups
from models.landmarks.layout import EXPRESSION_VALUES, FACE_SPACE, FACE_SPACE_SHA256
from models.landmarks.points import ALL_POINTS

MIRROR = np.array([-1.0, 1.0, 1.0])
"""Turns a face looking straight ahead into its mirror image."""


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


@dataclass(frozen=True, slots=True)
class FaceSpace:
    """Mean shape [478, 3], expression basis [K, 478, 3], point weights [478], spread [K]."""

    mean: FloatArray
    basis: FloatArray
    weights: FloatArray
    spread: FloatArray

    def expression(self, shape: FloatArray, rest: FloatArray) -> FloatArray:
        """Coefficients [K] of the difference between a shape [478, 3] and its rest shape."""
        difference = (shape - rest) * self.weights[:, None]
        coefficients: FloatArray = np.einsum("knd,nd->k", self.basis, difference)
        return coefficients

    def deform(self, rest: FloatArray, coefficients: FloatArray) -> FloatArray:
        """The rest shape [478, 3] with an expression of up to K coefficients."""
        count = len(coefficients)
        shape: FloatArray = rest + np.einsum("k,knd->nd", coefficients, self.basis[:count])
        return shape


def load_face_space(path: Path, sha256: str) -> FaceSpace:
    """Read the data file; raise `CheckpointError` when it is damaged or of another shape."""
    tensors = read_tensors(path, sha256)
    missing = {"mean", "basis", "weights", "spread"} - tensors.keys()
    if missing:
        raise CheckpointError(f"{path}: no tensor {', '.join(sorted(missing))}")
    arrays = {name: value.astype(np.float64) for name, value in tensors.items()}
    count = len(arrays["spread"])
    expected = {
        "mean": (ALL_POINTS, 3),
        "basis": (count, ALL_POINTS, 3),
        "weights": (ALL_POINTS,),
        "spread": (count,),
    }
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise CheckpointError(
                f"{path}: tensor {name} has shape {arrays[name].shape}, expected {shape}"
            )
        if not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{path}: tensor {name} holds values that are not finite")
    return FaceSpace(arrays["mean"], arrays["basis"], arrays["weights"], arrays["spread"])


def shipped_face_space() -> FaceSpace:
    """The face space that comes with the package; raise `CheckpointError` when it is damaged."""
    return load_face_space(DATA / FACE_SPACE, FACE_SPACE_SHA256)


def check_expressions(space: FaceSpace) -> None:
    """Raise `ModelError` for a face space of too few expressions."""
    if len(space.basis) < EXPRESSION_VALUES:
        raise ModelError(f"the face space holds fewer than {EXPRESSION_VALUES} expressions")


def mirror_order(mean: FloatArray) -> npt.NDArray[np.intp]:
    """For each of the 478 points the number of its mirror point, found on the mean shape.

    The eyes and brows, whose pairs are known, lay the mirrored face over the face.
    """
    load("scipy.optimize")
    from scipy.optimize import linear_sum_assignment

    right = [*groups.RIGHT_EYE, *groups.RIGHT_BROW]
    left = [*groups.LEFT_EYE, *groups.LEFT_BROW]
    mirrored = mean * MIRROR
    ones = np.ones(2 * len(right))
    pose = find_pose(mirrored[right + left], mean[left + right], ones)
    distances = np.linalg.norm(pose.apply(mirrored)[:, None] - mean[None], axis=2)
    order: npt.NDArray[np.intp] = linear_sum_assignment(distances)[1]
    if not np.array_equal(order[order], np.arange(len(mean))):
        raise ModelError("the average face is not symmetric enough to pair its points")
    return order
