"""Convolutions that are directly followed by their normalisation, so that the two can be folded."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.face.phases import PhaseConvolution


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

    conv: nn.Conv2d | PhaseConvolution

    def __init__(self, channels_low: int, channels_full: int, channels_out: int) -> None:
        super().__init__()
        self.channels_low = channels_low
        self.conv = nn.Conv2d(channels_low + channels_full, channels_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, low: Tensor, full: Tensor) -> Tensor:
        """[B, channels_low, H/2, W/2] and [B, channels_full, H, W] to [B, channels_out, H, W]."""
        if isinstance(self.conv, PhaseConvolution):
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
