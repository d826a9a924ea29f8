"""Sizes of the `face` network, and the blocks that it is built of.

Each convolution is directly followed by its normalisation, so that the two can be folded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.face.polyphase import PolyphaseConvolution

MAX_COMPACT_FEATURES = 8
MAX_CHANNELS = 4096
MAX_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class FaceConfiguration:
    """Sizes of a network.

    Attributes:
        channels: of the features at 1/2, 1/4 and 1/8 of the picture's width.
        motion_channels: of the motion network at 1/4 of the width; doubled at each halving.
        bottleneck_blocks: residual blocks at 1/8 of the width, per driven picture.
        middle_blocks: residual blocks at 1/4 of the width, per driven picture.
        fusing_channels: of the network that fuses two references; 0 for a network that draws from
            one alone.
        compact_features: most values 0..8 that the encoder measures and sends beside the
            landmarks; how many of them are sent is chosen for each stream.
        heat_map_width: standard deviation of the landmark heat maps, in picture widths.
        residual_reach: how far the residual flow may go along an axis, in picture widths.
    """

    channels: tuple[int, int, int] = (24, 48, 112)
    motion_channels: int = 20
    bottleneck_blocks: int = 2
    middle_blocks: int = 1
    fusing_channels: int = 0
    compact_features: int = 0
    heat_map_width: float = 0.02
    residual_reach: float = 0.1

    def __post_init__(self) -> None:
        # The values may come from a file, so that their types are not certain either.
        channels = (*self.channels, self.motion_channels)
        if len(self.channels) != 3 or not all(_within(n, 1, MAX_CHANNELS) for n in channels):
            raise ValueError(f"the network has three numbers of channels, each 1..{MAX_CHANNELS}")
        for blocks in (self.bottleneck_blocks, self.middle_blocks):
            if not _within(blocks, 1, MAX_BLOCKS):
                raise ValueError(f"the network has 1..{MAX_BLOCKS} blocks at 1/8 and at 1/4")
        if not _within(self.fusing_channels, 0, MAX_CHANNELS):
            raise ValueError(f"the fusing network has 0..{MAX_CHANNELS} channels")
        if not _within(self.compact_features, 0, MAX_COMPACT_FEATURES):
            raise ValueError(f"compact features are 0..{MAX_COMPACT_FEATURES} values")
        for size in (self.heat_map_width, self.residual_reach):
            if type(size) not in (int, float) or not 0 < size < math.inf:
                raise ValueError("heat map width and residual reach are finite and above 0")


def _within(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


class ConvolutionBlock(nn.Module):
    """x ── conv 3×3, stride ── norm ── ReLU.

    Args:
        channels_in: channels of the input [B, channels_in, H, W].
        channels_out: channels of the output [B, channels_out, H/stride, W/stride].
        stride: 1 or 2.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] to [B, channels_out, H/stride, W/stride]."""
        return functional.relu(self.norm(self.conv(x)))


class DoublingBlock(nn.Module):
    """Convolution of a map of half the width beside maps of full width.

    low ── double ─┬─ concat ── conv 3×3 ── norm ── ReLU
    full ──────────┘

    Args:
        channels_low: channels of the first input [B, channels_low, H/2, W/2].
        channels_full: channels of the second input [B, channels_full, H, W].
        channels_out: channels of the output [B, channels_out, H, W].
    """

    conv: nn.Conv2d | PolyphaseConvolution

    def __init__(self, channels_low: int, channels_full: int, channels_out: int) -> None:
        super().__init__()
        self.channels_low = channels_low
        self.conv = nn.Conv2d(channels_low + channels_full, channels_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, low: Tensor, full: Tensor) -> Tensor:
        """[B, channels_low, H/2, W/2] and [B, channels_full, H, W] to [B, channels_out, H, W]."""
        if isinstance(self.conv, PolyphaseConvolution):
            return functional.relu(self.norm(self.conv(low, full)))
        return functional.relu(self.norm(self.conv(torch.cat([double(low), full], dim=1))))


class FoldableResidualBlock(nn.Module):
    """Residual block whose activation follows the sum.

    x ─┬─ conv 3×3 ── norm ── ReLU ── conv 3×3 ── norm ─┬─ + ── ReLU
       └────────────────────────────────────────────────┘
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvolutionBlock(channels, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape."""
        return functional.relu(x + self.norm(self.conv(self.first(x))))


def double(x: Tensor) -> Tensor:
    """[B, C, H, W] to [B, C, 2H, 2W] by repetition."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
