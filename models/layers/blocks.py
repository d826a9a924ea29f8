"""Convolution blocks that the three networks are built from.

Every convolution has a bias and every normalisation is batch normalisation with epsilon 1e-5.
Attribute names are those of the published checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional


class SameBlock(nn.Module):
    """Convolution, batch normalisation, activation at constant resolution.

        x ── conv k×k ── norm ── activation

    Args:
        channels_in: channels of the input [B, channels_in, H, W].
        channels_out: channels of the output [B, channels_out, H, W].
        kernel: odd kernel size; the padding is ``kernel // 2``.
        negative_slope: slope of the leaky ReLU below zero; 0 is the plain ReLU.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int = 3, negative_slope: float = 0.0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(channels_out)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] to [B, channels_out, H, W]."""
        return functional.leaky_relu(self.norm(self.conv(x)), self.negative_slope)


class DownBlock(nn.Module):
    """Halves height and width.

        x ── conv 3×3 ── norm ── ReLU ── average pool 2×2

    Args:
        channels_in: channels of the input [B, channels_in, H, W], H and W even.
        channels_out: channels of the output [B, channels_out, H/2, W/2].
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] to [B, channels_out, H/2, W/2]."""
        return functional.avg_pool2d(functional.relu(self.norm(self.conv(x))), 2)


class UpBlock(nn.Module):
    """Doubles height and width.

        x ── nearest ×2 ── conv 3×3 ── norm ── ReLU

    Args:
        channels_in: channels of the input [B, channels_in, H, W].
        channels_out: channels of the output [B, channels_out, 2H, 2W].
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] to [B, channels_out, 2H, 2W]."""
        enlarged = functional.interpolate(x, scale_factor=2, mode="nearest")
        return functional.relu(self.norm(self.conv(enlarged)))


class DownBlock3d(nn.Module):
    """Halves height and width of a volume and leaves its depth alone.

        x ── conv 3×3×3, stride (1, 2, 2) ── norm ── ReLU

    Args:
        channels_in: channels of the input [B, channels_in, D, H, W], H and W even.
        channels_out: channels of the output [B, channels_out, D, H/2, W/2].
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels_in, channels_out, 3, stride=(1, 2, 2), padding=1)
        self.norm = nn.BatchNorm3d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, D, H, W] to [B, channels_out, D, H/2, W/2]."""
        return functional.relu(self.norm(self.conv(x)))


class UpBlock3d(nn.Module):
    """Doubles height and width of a volume and leaves its depth alone.

        x ── trilinear ×(1, 2, 2) ── conv 3×3×3 ── norm ── ReLU

    Args:
        channels_in: channels of the input [B, channels_in, D, H, W].
        channels_out: channels of the output [B, channels_out, D, 2H, 2W].
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels_in, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm3d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, D, H, W] to [B, channels_out, D, 2H, 2W]."""
        enlarged = functional.interpolate(
            x, scale_factor=(1, 2, 2), mode="trilinear", align_corners=False
        )
        return functional.relu(self.norm(self.conv(enlarged)))


class ResidualBlock(nn.Module):
    """Pre-activation residual block; nothing follows the sum.

        x ─┬─ norm1 ── ReLU ── conv1 3×3 ── norm2 ── ReLU ── conv2 3×3 ─┬─ +
           └────────────────────────────────────────────────────────────┘

    Args:
        channels: channels of input and output.
        dimensions: 2 for pictures [B, C, H, W], 3 for volumes [B, C, D, H, W].
    """

    def __init__(self, channels: int, dimensions: int = 2) -> None:
        super().__init__()
        convolution = nn.Conv2d if dimensions == 2 else nn.Conv3d
        normalisation = nn.BatchNorm2d if dimensions == 2 else nn.BatchNorm3d
        self.conv1 = convolution(channels, channels, 3, padding=1)
        self.conv2 = convolution(channels, channels, 3, padding=1)
        self.norm1 = normalisation(channels)
        self.norm2 = normalisation(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape."""
        hidden = self.conv1(functional.relu(self.norm1(x)))
        change: Tensor = self.conv2(functional.relu(self.norm2(hidden)))
        return x + change


def residual_blocks(count: int, channels: int, prefix: str, dimensions: int = 2) -> nn.Sequential:
    """``count`` residual blocks in a row, named ``prefix`` + index as in the checkpoints."""
    return nn.Sequential(
        OrderedDict((f"{prefix}{i}", ResidualBlock(channels, dimensions)) for i in range(count))
    )
