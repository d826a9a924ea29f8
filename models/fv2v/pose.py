"""From head pose and expression to keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DEGREES_PER_BIN = 3.0
"""Width of an angle class."""

LOWEST_ANGLE = -99.0
"""Degrees of angle class 0."""

RESEARCH_PI = 3.14
"""The π of all published copies, with which the public weights were trained."""


@dataclass(frozen=True)
class Fv2vPose:
    """Pose and expression of a face: what is sent of a picture.

    Attributes:
        rotation: [B, 3, 3] turns canonical keypoints (as columns x, y, z) into the picture's pose.
            After quantisation it need not be orthonormal.
        translation: [B, 3] in units of half the picture.
        expression: [B, K, 3] displacement of every keypoint, in units of half the picture.
    """

    rotation: Tensor
    translation: Tensor
    expression: Tensor

    def keypoints(self, canonical: Tensor) -> Tensor:
        """Keypoints [B, K, 3] of the picture: rotation · canonical + translation + expression.

        Args:
            canonical: [B, K, 3] of the key picture, batch 1 or B.
        """
        return canonical @ self.rotation.mT + self.translation.unsqueeze(1) + self.expression


def angle_degrees(logits: Tensor) -> Tensor:
    """Expected angle in degrees, [B], of class logits [B, bins]."""
    classes = torch.arange(logits.shape[1], dtype=logits.dtype, device=logits.device)
    return DEGREES_PER_BIN * (logits.softmax(dim=1) * classes).sum(dim=1) + LOWEST_ANGLE


def rotation_matrix(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Rotation [B, 3, 3] of angles [B] in degrees: A(roll) · B(pitch) · C(yaw).

    A turns about x, B about y and C about z; the angles are named as in the published code.
    """
    (sx, cx), (sy, cy), (sz, cz) = (
        (torch.sin(radians), torch.cos(radians))
        for radians in (angle / 180 * RESEARCH_PI for angle in (roll, pitch, yaw))
    )
    zero, one = torch.zeros_like(sx), torch.ones_like(sx)

    def matrix(*elements: Tensor) -> Tensor:
        return torch.stack(elements, dim=1).view(-1, 3, 3)

    about_x = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
    about_y = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    about_z = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
    return about_x @ about_y @ about_z
