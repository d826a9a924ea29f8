"""CFTE's dense motion network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.cfte.configuration import CfteConfiguration
from models.layers import (
    DownBlock,
    Hourglass,
    Reduction,
    SameBlock,
    UpBlock,
    residual_blocks,
    warp_by_pixels,
)


@dataclass(frozen=True)
class DenseFlow:
    """Motion from every driving sample to the source.

    Attributes:
        flow: [B, 64, 64, 2] in samples of the 64×64 grid, order x, y.
        occlusion: [B, 1, 64, 64] 0 where the source shows nothing of use, 1 where all of it.
    """

    flow: Tensor
    occlusion: Tensor


class CfteDenseMotionNetwork(nn.Module):
    """Predicts a flow and an occlusion map from the change of the compact feature.

        source ── down ── first 7×7 ── motiondown_blocks ── warp by sparse flow ── bottleneck ─┐
         256²     64²                             4²                                           │
                                        motion picture 3×64² ◄── final 7×7 ── motionup_blocks ◄┘

        driving feature ── up_blocks ──(+)─┐
        source feature ─── up_blocks ──(−)─┴─ feature difference 1×64² ─┐
                                              motion picture 3×64² ─────┤
                                                                    hourglass
                                             flow ◄── flow 7×7 ─────────┤
                        occlusion ◄── sigmoid ◄── occlusion 7×7 ────────┘

    The research software computes the sparse flow with Farnebäck's optical flow between the two
    4×4 maps. There every sample lies in the border zone that the method weights down, and the flow
    comes out as zero (at most 0.002 of a sample). Here it is zero, and the motion picture depends
    on the source alone. The warp stays: its two coordinate conventions disagree, so it resamples
    even so.
    """

    def __init__(self, configuration: CfteConfiguration) -> None:
        super().__init__()
        pyramid = configuration.motion
        self.hourglass = Hourglass(pyramid, 1 + 3)
        self.flow = nn.Conv2d(self.hourglass.channels_out, 2, 7, padding=3)
        self.occlusion = nn.Conv2d(self.hourglass.channels_out, 1, 7, padding=3)
        self.down = Reduction()
        self.up_blocks = nn.Sequential(*(UpBlock(1, 1) for _ in range(pyramid.levels)))
        self.first = SameBlock(3, pyramid.base, kernel=7)
        self.motiondown_blocks = nn.Sequential(*(DownBlock(*step) for step in pyramid.down_steps()))
        self.motionup_blocks = nn.Sequential(*(UpBlock(*step) for step in pyramid.up_steps()))
        self.bottleneck = residual_blocks(
            configuration.motion_bottleneck_blocks, pyramid.channels(pyramid.levels), "r"
        )
        self.final = nn.Conv2d(pyramid.base, 3, 7, padding=3)
        self.conventions = configuration.conventions

    def sparse_flow(self, features: Tensor) -> Tensor:
        """Flow [B, 4, 4, 2] for motion features [B, C, 4, 4]: zero, see the class."""
        return features.new_zeros(features.shape[0], *features.shape[2:], 2)

    def encode_source(self, source: Tensor) -> Tensor:
        """Source picture [B, 3, 256, 256] in 0..1 to the motion picture [B, 3, 64, 64]."""
        features = self.motiondown_blocks(self.first(self.down(source)))
        align_corners = self.conventions.sparse_warp_align_corners
        warped = warp_by_pixels(features, self.sparse_flow(features), align_corners=align_corners)
        motion_picture: Tensor = self.final(self.motionup_blocks(self.bottleneck(warped)))
        return motion_picture

    def feature_difference(self, source: Tensor, driving: Tensor) -> Tensor:
        """Difference [B, 1, 64, 64] of the enlarged features [B, 1, 4, 4], driving less source."""
        difference: Tensor = self.up_blocks(driving) - self.up_blocks(source)
        return difference

    def forward(self, motion_picture: Tensor, source: Tensor, driving: Tensor) -> DenseFlow:
        """Motion from the driving picture to the source.

        Args:
            motion_picture: [B, 3, 64, 64] of `encode_source`, batch 1 or B.
            source: [B, 1, 4, 4] feature of the key picture, batch 1 or B.
            driving: [B, 1, 4, 4] feature of the driving picture.
        """
        difference = self.feature_difference(source, driving)
        motion_picture = motion_picture.expand(difference.shape[0], -1, -1, -1)
        features = self.hourglass(torch.cat([difference, motion_picture], dim=1))
        return DenseFlow(
            flow=self.flow(features).permute(0, 2, 3, 1),
            occlusion=torch.sigmoid(self.occlusion(features)),
        )
