"""FV2V's synthesis network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.fv2v.configuration import Fv2vConfiguration
from models.fv2v.dense_motion import Fv2vDenseMotionNetwork
from models.layers import (
    REDUCTION_FACTOR,
    DenseMotion,
    DownBlock,
    SameBlock,
    UpBlock,
    check_picture,
    residual_blocks,
    sample,
)

_LEAK = 0.01


@dataclass(frozen=True)
class Fv2vSource:
    """What the generator keeps of a key picture [B, 3, H, W].

    Attributes:
        volume: [B, C, D, H/4, W/4] features to be warped.
        compressed: [B, c, D, H/4, W/4] volume for the motion network.
    """

    volume: Tensor
    compressed: Tensor


class Fv2vGenerator(nn.Module):
    """Renders the driving picture from the source picture and the keypoints of both.

    source ── first 7×7 ── down_blocks ── second 1×1 ── C·D channels as C × D   ┐ encode_source,
           ── resblocks_3d ──► volume ── dense_motion_network.compress_volume   │ once per
                                                         ──► compressed         ┘ key picture

    compressed, keypoints ── dense_motion_network ──► deformation, occlusion    ┐ animate,
    volume ── sample at deformation ── C × D as C·D channels ── third 3×3       │ once per
           ── fourth 1×1 ── × occlusion ── resblocks_2d ── up_blocks            │ picture
           ── final 7×7 ── sigmoid ──► prediction                               ┘
    """

    def __init__(self, configuration: Fv2vConfiguration) -> None:
        super().__init__()
        pyramid = configuration.generator
        channels = pyramid.channels(pyramid.levels)
        volume = configuration.volume_channels
        blocks = configuration.residual_blocks
        self.dense_motion_network = Fv2vDenseMotionNetwork(configuration)
        self.first = SameBlock(3, pyramid.base, kernel=7)
        self.down_blocks = nn.Sequential(*(DownBlock(*step) for step in pyramid.down_steps()))
        self.second = nn.Conv2d(channels, volume * configuration.depth, 1)
        self.resblocks_3d = residual_blocks(blocks, volume, "3dr", dimensions=3)
        self.third = SameBlock(volume * configuration.depth, channels, negative_slope=_LEAK)
        self.fourth = nn.Conv2d(channels, channels, 1)
        self.resblocks_2d = residual_blocks(blocks, channels, "2dr")
        self.up_blocks = nn.Sequential(*(UpBlock(*step) for step in pyramid.up_steps()))
        self.final = nn.Conv2d(pyramid.base, 3, 7, padding=3)
        self.depth = configuration.depth
        self.conventions = configuration.conventions
        self.picture_multiple = REDUCTION_FACTOR * 2**configuration.motion.levels

    def encode_source(self, source: Tensor) -> Fv2vSource:
        """All work that depends on the key picture alone.

        Args:
            source: [B, 3, H, W] in 0..1.

        Raises:
            ValueError: H or W is not a multiple of ``picture_multiple``.
        """
        check_picture(source, self.picture_multiple)
        planes = self.second(self.down_blocks(self.first(source)))
        volume = self.resblocks_3d(planes.unflatten(1, (-1, self.depth)))
        return Fv2vSource(volume, self.dense_motion_network.compress_volume(volume))

    def animate(
        self, source: Fv2vSource, source_keypoints: Tensor, driving_keypoints: Tensor
    ) -> Tensor:
        """Render pictures [B, 3, H, W] in 0..1.

        Args:
            source: of `encode_source`, batch 1 or B.
            source_keypoints: [B, K, 3] of the key picture, batch 1 or B.
            driving_keypoints: [B, K, 3] of the pictures to render.
        """
        motion: DenseMotion = self.dense_motion_network(
            source.compressed, source_keypoints, driving_keypoints
        )
        warped = self.warp_volume(source.volume, motion)
        features = self.fourth(self.third(warped.flatten(1, 2))) * motion.occlusion
        return torch.sigmoid(self.final(self.up_blocks(self.resblocks_2d(features))))

    def forward(
        self, source: Tensor, source_keypoints: Tensor, driving_keypoints: Tensor
    ) -> Tensor:
        """`encode_source` and `animate` in one."""
        return self.animate(self.encode_source(source), source_keypoints, driving_keypoints)

    def warp_volume(self, volume: Tensor, motion: DenseMotion) -> Tensor:
        """Feature volume [B, C, D, h, w] moved to the driving picture."""
        align_corners = self.conventions.feature_warp_align_corners
        return sample(volume, motion.deformation, align_corners=align_corners)
