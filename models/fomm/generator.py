"""FOMM's synthesis network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from models.fomm.configuration import FommConfiguration
from models.fomm.dense_motion import FommDenseMotionNetwork
from models.fomm.keypoint_detector import FommKeypoints
from models.layers import (
    REDUCTION_FACTOR,
    DenseMotion,
    FeatureWarpingGenerator,
    check_picture,
    enlarge_positions,
    sample,
)


@dataclass(frozen=True)
class FommSource:
    """What the generator keeps of a key picture [B, 3, H, W].

    Attributes:
        features: [B, C, H/4, W/4] to be warped.
        reduced: [B, 3, H/4, W/4] picture for the motion network.
    """

    features: Tensor
    reduced: Tensor


class FommGenerator(FeatureWarpingGenerator):
    """Renders the driving picture from the source picture and the keypoints of both.

    source ─┬─ first ── down_blocks ──► features     ┐ encode_source,
            └─ dense_motion_network.down ──► reduced ┘ once per key picture

    reduced, keypoints ── dense_motion_network ──► deformation, occlusion    ┐ animate,
    features ── sample at deformation ── × occlusion ── bottleneck ── up_blocks │ once per
             ── final 7×7 ── sigmoid ──► prediction                          ┘ picture
    """

    dense_motion_network: FommDenseMotionNetwork

    def __init__(self, configuration: FommConfiguration) -> None:
        super().__init__(
            configuration.generator,
            configuration.bottleneck_blocks,
            FommDenseMotionNetwork(configuration),
        )
        self.conventions = configuration.conventions
        self.picture_multiple = REDUCTION_FACTOR * 2**configuration.motion.levels

    def encode_source(self, source: Tensor) -> FommSource:
        """All work that depends on the key picture alone.

        Args:
            source: [B, 3, H, W] in 0..1.

        Raises:
            ValueError: H or W is not a multiple of ``picture_multiple``.
        """
        check_picture(source, self.picture_multiple)
        return FommSource(self.encode_picture(source), self.dense_motion_network.reduce(source))

    def animate(
        self,
        source: FommSource,
        source_keypoints: FommKeypoints,
        driving_keypoints: FommKeypoints,
    ) -> Tensor:
        """Render pictures [B, 3, H, W] in 0..1.

        A singular driving Jacobian makes the picture not finite: check received ones beforehand.

        Args:
            source: of `encode_source`, batch 1 or B.
            source_keypoints: of the key picture, batch 1 or B.
            driving_keypoints: of the pictures to render, batch B.
        """
        motion: DenseMotion = self.dense_motion_network(
            source.reduced, source_keypoints, driving_keypoints
        )
        return self.decode_features(
            self._warp(source.features, motion.deformation) * motion.occlusion
        )

    def forward(
        self, source: Tensor, source_keypoints: FommKeypoints, driving_keypoints: FommKeypoints
    ) -> Tensor:
        """`encode_source` and `animate` in one."""
        return self.animate(self.encode_source(source), source_keypoints, driving_keypoints)

    def warp_picture(self, picture: Tensor, motion: DenseMotion) -> Tensor:
        """Source picture [B, 3, H, W] warped by the motion alone; for display only."""
        height, width = picture.shape[2:]
        return self._warp(picture, enlarge_positions(motion.deformation, (height, width)))

    def _warp(self, source: Tensor, positions: Tensor) -> Tensor:
        align_corners = self.conventions.feature_warp_align_corners
        return sample(source, positions, align_corners=align_corners)
