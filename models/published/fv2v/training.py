"""Training FV2V."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.family import TaskOptions
from models.landmarks.face_space import FaceSpace, find_pose, shipped_face_space
from models.published import cards
from models.published.fv2v.configuration import FV2V_CONVENTIONS, Fv2vConfiguration
from models.published.fv2v.network import Fv2v
from models.published.fv2v.pose import Fv2vPose
from models.published.training import AnimationTask, position_loss, random_deformation
from models.training.augmentation import Pair
from models.training.footage import Landmarks
from models.training.losses import as_coded
from models.training.task import Batch

_LAYOUT = cards.fv2v()[0].layout
LEAST_SQUARED_DISTANCE = 0.1
"""Keypoints that are nearer to each other repel."""

MEAN_DEPTH = 0.33


@dataclass(frozen=True)
class Fv2vTask(AnimationTask):
    """Head pose and expression that make the key picture move like the driven one.

    Wang, Mallya, Liu, "One-Shot Free-View Neural Talking-Head Synthesis for Video Conferencing",
    CVPR 2021, section 3.3. The paper takes head poses from a pretrained network, by their angles.
    Here they come from the tracked landmarks, and rotation matrices are compared. What else the
    paper's loss has, and this not: VGGFace features, and weights that were searched for.

    Attributes:
        configuration: of the network.
        equivariance_weight: of keypoints that do not follow a deformation of the picture.
        prior_weight: of keypoints that crowd, or are at the wrong depth.
        pose_weight: of head poses that are not those of the landmarks.
        expression_weight: of large expressions.
        space: face whose turning away from "straight ahead" is the pose.
    """

    name = "fv2v"
    configuration: Fv2vConfiguration = field(default_factory=Fv2vConfiguration)
    equivariance_weight: float = 1.0
    prior_weight: float = 0.5
    pose_weight: float = 1.0
    expression_weight: float = 0.25
    space: FaceSpace = field(default_factory=shipped_face_space, repr=False)

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Equivariance, keypoint prior, head pose and size of the expression."""
        return ("equivariance", "prior", "pose", "expression")

    def build_network(self) -> Fv2v:
        """A new network with random weights."""
        return Fv2v(self.configuration)

    def prepare(
        self, pair: Pair, random: np.random.Generator | None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Rotations [3, 3] of both heads, by their landmarks."""
        return {
            "key_rotation": self._rotation(pair.key_landmarks),
            "rotation": self._rotation(pair.driven_landmarks),
        }

    def _rotation(self, landmarks: Landmarks) -> npt.NDArray[np.float32]:
        pose = find_pose(self.space.mean, landmarks.astype(np.float64), self.space.weights)
        return pose.rotation.astype(np.float32)

    def _draw(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, Fv2v)
        canonical: Tensor = network.kp_detector(batch.key)
        key: Fv2vPose = network.he_estimator(batch.key).pose()
        driving: Fv2vPose = network.he_estimator(batch.driven).pose()
        picture: Tensor = network.generator(
            batch.key,
            _coded(key, training=network.training).keypoints(canonical),
            _coded(driving, training=network.training).keypoints(canonical),
        )
        if not network.training:
            return picture, {}
        keypoints = driving.keypoints(canonical)
        deformation = random_deformation(len(batch.driven), batch.driven)
        deformed: Fv2vPose = network.he_estimator(deformation.picture(batch.driven)).pose()
        followed = deformation.positions(deformed.keypoints(canonical)[..., :2])
        rotations = (
            key.rotation - batch.extras["key_rotation"],
            driving.rotation - batch.extras["rotation"],
        )
        return picture, {
            "equivariance": position_loss(keypoints[..., :2], followed),
            "prior": keypoint_prior(keypoints),
            "pose": torch.stack(rotations).abs().mean(),
            "expression": driving.expression.abs().mean(),
        }


def keypoint_prior(keypoints: Tensor) -> Tensor:
    """How much keypoints [B, K, 3] crowd, and miss the mean depth.

    The sum over other keypoints of max(0, 0.1 − d²), d the distance in halves of the picture, as a
    mean over keypoints, and the distance of the mean z from 0.33.
    """
    squared = ((keypoints[:, :, None] - keypoints[:, None]) ** 2).sum(dim=-1)
    count = keypoints.shape[1]
    # A keypoint is no neighbour of itself.
    near = (LEAST_SQUARED_DISTANCE - squared).clamp(min=0).sum(dim=(1, 2)) / count
    crowding = (near - LEAST_SQUARED_DISTANCE).mean()
    return crowding + (keypoints[..., 2].mean(dim=1) - MEAN_DEPTH).abs().mean()


def _coded(pose: Fv2vPose, *, training: bool) -> Fv2vPose:
    def coded(values: Tensor) -> Tensor:
        return as_coded(values, _LAYOUT.matrix_precision, training=training)

    return Fv2vPose(coded(pose.rotation), coded(pose.translation), coded(pose.expression))


def task(options: TaskOptions) -> Fv2vTask:
    """The task of a published copy.

    As its authors train it: on whole pictures the keypoint detector needs 16 times the memory.
    """
    conventions = FV2V_CONVENTIONS[options.variant]
    return Fv2vTask(Fv2vConfiguration(conventions=conventions, detector_reduces_picture=True))
