"""CFTE's synthesis network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from models.cfte.configuration import CfteConfiguration
from models.cfte.dense_motion import CfteDenseMotionNetwork, DenseFlow
from models.cfte.feature_extractor import check_picture_size
from models.layers import FeatureWarpingGenerator, enlarge_positions, warp_by_pixels


@dataclass(frozen=True)
class CfteSource:
    """What the generator keeps of a key picture.

    Attributes:
        features: [B, C, 64, 64] to be warped.
        motion_picture: [B, 3, 64, 64] for the motion network.
    """

    features: Tensor
    motion_picture: Tensor


class CfteGenerator(FeatureWarpingGenerator):
    """Renders the driving picture from the source picture and the compact features of both.

    source ─┬─ first ── down_blocks ──► features                            ┐ encode_source,
            └─ dense_motion_network.encode_source ──► motion picture        ┘ once per key picture

    motion picture, features ── dense_motion_network ──► flow, occlusion    ┐ animate,
    features ── warp by flow ── × occlusion ── bottleneck ── up_blocks      │ once per
             ── final 7×7 ── sigmoid ──► prediction                         ┘ picture
    """

    dense_motion_network: CfteDenseMotionNetwork

    def __init__(self, configuration: CfteConfiguration) -> None:
        super().__init__(
            configuration.generator,
            configuration.bottleneck_blocks,
            CfteDenseMotionNetwork(configuration),
        )
        self.conventions = configuration.conventions

    def encode_source(self, source: Tensor) -> CfteSource:
        """All work that depends on the key picture alone.

        Args:
            source: [B, 3, 256, 256] in 0..1.

        Raises:
            ValueError: the picture has another size.
        """
        check_picture_size(source)
        return CfteSource(
            self.encode_picture(source), self.dense_motion_network.encode_source(source)
        )

    def animate(
        self, source: CfteSource, source_feature: Tensor, driving_feature: Tensor
    ) -> Tensor:
        """Render pictures [B, 3, 256, 256] in 0..1.

        Args:
            source: of `encode_source`, batch 1 or B.
            source_feature: [B, 1, 4, 4] of the key picture, batch 1 or B.
            driving_feature: [B, 1, 4, 4] of the pictures to render.
        """
        motion: DenseFlow = self.dense_motion_network(
            source.motion_picture, source_feature, driving_feature
        )
        return self.decode_features(self._warp(source.features, motion.flow) * motion.occlusion)

    def forward(self, source: Tensor, source_feature: Tensor, driving_feature: Tensor) -> Tensor:
        """`encode_source` and `animate` in one."""
        return self.animate(self.encode_source(source), source_feature, driving_feature)

    def warp_picture(self, picture: Tensor, motion: DenseFlow) -> Tensor:
        """Source picture [B, 3, 256, 256] warped by the flow alone; for display only.

        The flow is enlarged without scaling its length, as in the research software.
        """
        height, width = picture.shape[2:]
        return self._warp(picture, enlarge_positions(motion.flow, (height, width)))

    def _warp(self, source: Tensor, flow: Tensor) -> Tensor:
        align_corners = self.conventions.dense_warp_align_corners
        return warp_by_pixels(source, flow, align_corners=align_corners)
