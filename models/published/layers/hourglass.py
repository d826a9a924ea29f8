"""Encoder and decoder with skip connections, for pictures and for volumes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.published.layers.blocks import (
    ChannelPyramid,
    DownBlock,
    DownBlock3d,
    SameBlock,
    UpBlock,
    UpBlock3d,
    residual_blocks,
)


class _Encoder(nn.Module):
    """Halving steps; returns the input and the output of every step, full resolution first."""

    def __init__(self, down_blocks: list[nn.Module]) -> None:
        super().__init__()
        self.down_blocks = nn.ModuleList(down_blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        levels = [x]
        for block in self.down_blocks:
            levels.append(block(levels[-1]))
        return levels


class _Decoder(nn.Module):
    """Doubling steps, each followed by the encoder's tensor of the same resolution."""

    def __init__(self, up_blocks: list[nn.Module], channels_out: int) -> None:
        super().__init__()
        self.up_blocks = nn.ModuleList(up_blocks)

    def forward(self, levels: list[Tensor]) -> Tensor:
        skips = list(levels)
        x = skips.pop()
        for block in self.up_blocks:
            x = torch.cat([block(x), skips.pop()], dim=1)
        return x


class _Decoder3d(_Decoder):
    """The decoder for volumes, which ends with a convolution over everything."""

    def __init__(self, up_blocks: list[nn.Module], channels_out: int) -> None:
        super().__init__(up_blocks, channels_out)
        self.conv = nn.Conv3d(channels_out, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm3d(channels_out)

    def forward(self, levels: list[Tensor]) -> Tensor:
        return functional.relu(self.norm(self.conv(super().forward(levels))))


def _up_steps_with_skips(pyramid: ChannelPyramid) -> list[tuple[int, int]]:
    """Every step but the lowest also takes the skip that was put behind the step below it."""
    return [
        (above if i == 0 else 2 * above, below)
        for i, (above, below) in enumerate(pyramid.up_steps())
    ]


def _down_steps_from(pyramid: ChannelPyramid, channels_in: int) -> list[tuple[int, int]]:
    (_, first), *rest = pyramid.down_steps()
    return [(channels_in, first), *rest]


class Hourglass(nn.Module):
    """U-net whose last skip connection is its own input.

        x ─┬─ down ─┬─ down ─┬─ … ── down ── up ── cat ── … ── up ── cat ── up ── cat ── y
           │        │        └──────────────────────┘               │              │
           │        └────────────────────────────────────────────────┘              │
           └────────────────────────────────────────────────────────────────────────┘
        cat: upsampled part first, skip second

    Args:
        pyramid: channels of the levels; level 0 counts for the decoder only.
        channels_in: channels of the input [B, channels_in, H, W], H and W multiples of
            ``2 ** pyramid.levels``.

    Attributes:
        channels_out: ``pyramid.base + channels_in``, at the resolution of the input.
    """

    _down: type[nn.Module] = DownBlock
    _up: type[nn.Module] = UpBlock
    _decoder: type[_Decoder] = _Decoder

    def __init__(self, pyramid: ChannelPyramid, channels_in: int) -> None:
        super().__init__()
        self.channels_out = pyramid.base + channels_in
        down = [self._down(*step) for step in _down_steps_from(pyramid, channels_in)]
        up = [self._up(*step) for step in _up_steps_with_skips(pyramid)]
        self.encoder = _Encoder(down)
        self.decoder = self._decoder(up, self.channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] to [B, channels_out, H, W]."""
        y: Tensor = self.decoder(self.encoder(x))
        return y


class Hourglass3d(Hourglass):
    """The hourglass for volumes: 3-D steps, depth kept, one more convolution at the end.

        x ── as `Hourglass` with `DownBlock3d`, `UpBlock3d` ── conv 3×3×3 ── norm ── ReLU ── y

    Volumes are [B, channels_in, D, H, W] and [B, channels_out, D, H, W]; all else is as there.
    """

    decoder: _Decoder3d
    _down = DownBlock3d
    _up = UpBlock3d
    _decoder = _Decoder3d


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
