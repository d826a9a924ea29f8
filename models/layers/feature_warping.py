"""The picture path that the FOMM and CFTE generators have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.layers.blocks import DownBlock, SameBlock, UpBlock, residual_blocks
from models.layers.pyramid import ChannelPyramid


class FeatureWarpingGenerator(nn.Module):
    """Base of generators that warp picture features and decode the result.

        source ── first 7×7 ── down_blocks ──► features      encode_picture, once per key picture
                                                  │
                                    warp, × occlusion map     of the subclass
                                                  ▼
        prediction ◄── sigmoid ── final 7×7 ── up_blocks ── bottleneck     decode_features

    Args:
        pyramid: channels of the levels; features have 1/2^levels of the picture's resolution.
        bottleneck_blocks: residual blocks between warp and enlargement.
        dense_motion_network: predicts the warp; a child here so that checkpoint names and their
            order come out as published.
    """

    def __init__(
        self, pyramid: ChannelPyramid, bottleneck_blocks: int, dense_motion_network: nn.Module
    ) -> None:
        super().__init__()
        self.dense_motion_network = dense_motion_network
        self.first = SameBlock(3, pyramid.base, kernel=7)
        self.down_blocks = nn.Sequential(*(DownBlock(*step) for step in pyramid.down_steps()))
        self.up_blocks = nn.Sequential(*(UpBlock(*step) for step in pyramid.up_steps()))
        self.bottleneck = residual_blocks(bottleneck_blocks, pyramid.channels(pyramid.levels), "r")
        self.final = nn.Conv2d(pyramid.base, 3, 7, padding=3)

    def encode_picture(self, picture: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 to features [B, C, H/2^levels, W/2^levels]."""
        features: Tensor = self.down_blocks(self.first(picture))
        return features

    def decode_features(self, features: Tensor) -> Tensor:
        """Features [B, C, H/2^levels, W/2^levels], warped and masked, to a picture in 0..1."""
        return torch.sigmoid(self.final(self.up_blocks(self.bottleneck(features))))
