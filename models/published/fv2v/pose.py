"""Head pose and expression: their estimator, and the keypoints that they stand for."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.published.fv2v.configuration import Fv2vConfiguration
from models.published.layers.blocks import check_picture

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


@dataclass(frozen=True)
class Fv2vEstimate:
    """Raw outputs of the estimator.

    Attributes:
        yaw, pitch, roll: [B, bins] class logits of the angles.
        translation: [B, 3] in units of half the picture.
        expression: [B, K, 3] in units of half the picture.
    """

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    translation: Tensor
    expression: Tensor

    def pose(self) -> Fv2vPose:
        """The pose with the expected angles as a rotation matrix."""
        angles = (angle_degrees(logits) for logits in (self.yaw, self.pitch, self.roll))
        return Fv2vPose(rotation_matrix(*angles), self.translation, self.expression)


class _Bottleneck(nn.Module):
    """Post-activation residual unit; with ``stride`` 2 the input takes a 1×1 convolution too.

    x ─┬─ conv1 1×1, norm1, ReLU ── conv2 3×3, norm2, ReLU ── conv3 1×1, norm3 ─┬─ + ── ReLU
       └─ [skip 1×1, norm4] ────────────────────────────────────────────────────┘
    """

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        inner = channels // 4
        self.conv1 = nn.Conv2d(channels, inner, 1)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1)
        self.conv3 = nn.Conv2d(inner, channels, 1)
        self.norm1 = nn.BatchNorm2d(inner)
        self.norm2 = nn.BatchNorm2d(inner)
        self.norm3 = nn.BatchNorm2d(channels)
        self.halves = stride == 2
        if self.halves:
            self.skip = nn.Conv2d(channels, channels, 1, stride=stride)
            self.norm4 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu(self.norm1(self.conv1(x)))
        hidden = functional.relu(self.norm2(self.conv2(hidden)))
        change = self.norm3(self.conv3(hidden))
        return functional.relu(change + (self.norm4(self.skip(x)) if self.halves else x))


def _units(block: int, count: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict((f"b{block}_{i}", _Bottleneck(channels)) for i in range(count))
    )


class Fv2vPoseEstimator(nn.Module):
    """Estimates head pose and expression of a picture.

        picture ── conv1 7×7 /2 ── norm1 ── ReLU ── max-pool 3×3 /2
           C       ── conv2 1×1 ── norm2 ── ReLU ── block1 (3 units)
           4C      ── conv3 1×1 ── norm3 ── ReLU ── block2 (/2) ── block3 (3 units)
           8C      ── conv4 1×1 ── norm4 ── ReLU ── block4 (/2) ── block5 (5 units)
           16C     ── conv5 1×1 ── norm5 ── ReLU ── block6 (/2) ── block7 (2 units)
           32C     ── global average ─┬─ fc_yaw ──► roll     └ the two names are exchanged in the
                                      ├─ fc_pitch ──► pitch    published code and its weights
                                      ├─ fc_roll ──► yaw
                                      ├─ fc_t ──► translation
                                      └─ fc_exp ──► expression

    Runs on every picture at the encoder and on key pictures at the decoder.
    """

    def __init__(self, configuration: Fv2vConfiguration) -> None:
        super().__init__()
        base = configuration.estimator_channels
        self.conv1 = nn.Conv2d(3, base, 7, stride=2, padding=3)
        self.norm1 = nn.BatchNorm2d(base)
        self.conv2 = nn.Conv2d(base, 4 * base, 1)
        self.norm2 = nn.BatchNorm2d(4 * base)
        self.block1 = _units(1, 3, 4 * base)
        self.conv3 = nn.Conv2d(4 * base, 8 * base, 1)
        self.norm3 = nn.BatchNorm2d(8 * base)
        self.block2 = _Bottleneck(8 * base, stride=2)
        self.block3 = _units(3, 3, 8 * base)
        self.conv4 = nn.Conv2d(8 * base, 16 * base, 1)
        self.norm4 = nn.BatchNorm2d(16 * base)
        self.block4 = _Bottleneck(16 * base, stride=2)
        self.block5 = _units(5, 5, 16 * base)
        self.conv5 = nn.Conv2d(16 * base, 32 * base, 1)
        self.norm5 = nn.BatchNorm2d(32 * base)
        self.block6 = _Bottleneck(32 * base, stride=2)
        self.block7 = _units(7, 2, 32 * base)
        self.fc_roll = nn.Linear(32 * base, configuration.angle_bins)
        self.fc_pitch = nn.Linear(32 * base, configuration.angle_bins)
        self.fc_yaw = nn.Linear(32 * base, configuration.angle_bins)
        self.fc_t = nn.Linear(32 * base, 3)
        self.fc_exp = nn.Linear(32 * base, 3 * configuration.keypoints)

    def forward(self, picture: Tensor) -> Fv2vEstimate:
        """Analyse pictures [B, 3, H, W] in 0..1.

        Raises:
            ValueError: the pictures are not [B, 3, H, W].
        """
        check_picture(picture, 1)
        x = functional.relu(self.norm1(self.conv1(picture)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        x = self.block1(functional.relu(self.norm2(self.conv2(x))))
        x = self.block3(self.block2(functional.relu(self.norm3(self.conv3(x)))))
        x = self.block5(self.block4(functional.relu(self.norm4(self.conv4(x)))))
        x = self.block7(self.block6(functional.relu(self.norm5(self.conv5(x)))))
        x = x.mean(dim=(2, 3))
        return Fv2vEstimate(
            yaw=self.fc_roll(x),
            pitch=self.fc_pitch(x),
            roll=self.fc_yaw(x),
            translation=self.fc_t(x),
            expression=self.fc_exp(x).unflatten(1, (-1, 3)),
        )
