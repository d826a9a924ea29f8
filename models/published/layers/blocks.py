"""Blocks that the three networks are built from, and how their channels grow with depth.

Every convolution has a bias and every normalisation is batch normalisation with epsilon 1e-5.
Attribute names are those of the published checkpoints.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


def check_picture(picture: Tensor, multiple: int) -> None:
    """Raise ValueError unless ``picture`` is [B, 3, H, W], H and W multiples of ``multiple``."""
    shape = tuple(picture.shape)
    if len(shape) != 4 or shape[1] != 3 or shape[2] % multiple or shape[3] % multiple:
        raise ValueError(
            f"picture has shape {list(shape)}: "
            f"want [B, 3, H, W] with H and W multiples of {multiple}"
        )


@dataclass(frozen=True)
class ChannelPyramid:
    """Channels per resolution level: doubled at every level, up to a limit.

    Attributes:
        base: channels at level 0, the resolution a pyramid starts from.
        limit: no level has more channels than this.
        levels: how often the resolution is halved; levels are numbered 0 to ``levels``.
    """

    base: int
    limit: int
    levels: int

    def channels(self, level: int) -> int:
        """Channels at ``level``, in 0..``levels``."""
        return min(self.limit, self.base << level)

    def down_steps(self) -> list[tuple[int, int]]:
        """(channels in, channels out) of every halving step, full resolution first."""
        return [(self.channels(i), self.channels(i + 1)) for i in range(self.levels)]

    def up_steps(self) -> list[tuple[int, int]]:
        """(channels in, channels out) of every doubling step, lowest resolution first."""
        return [(above, below) for below, above in reversed(self.down_steps())]


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


class _Block(nn.Module):
    """A block that begins with a convolution 3×3 and batch normalisation."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels_out)


class DownBlock(_Block):
    """Halves height and width.

        x ── conv 3×3 ── norm ── ReLU ── average pool 2×2

    Args:
        channels_in: channels of the input [B, channels_in, H, W], H and W even.
        channels_out: channels of the output [B, channels_out, H/2, W/2].
    """

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels_in, H, W] to [B, channels_out, H/2, W/2]."""
        return functional.avg_pool2d(functional.relu(self.norm(self.conv(x))), 2)


class UpBlock(_Block):
    """Doubles height and width.

        x ── nearest ×2 ── conv 3×3 ── norm ── ReLU

    Args:
        channels_in: channels of the input [B, channels_in, H, W].
        channels_out: channels of the output [B, channels_out, 2H, 2W].
    """

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


REDUCTION_FACTOR = 4
_KERNEL = 13
_SIGMA = 1.5


class Reduction(nn.Module):
    """Gaussian low-pass of a picture, then every fourth row and column starting at 0.

        x ── pad 6 with zeros ── depth-wise Gaussian 13×13, σ 1.5 ── keep 0::4 ── y

    The kernel is a buffer because the public checkpoints carry it (``down.weight``).
    """

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        distance = torch.arange(_KERNEL, dtype=torch.float64) - _KERNEL // 2
        line = torch.exp(-(distance**2) / (2 * _SIGMA**2))
        kernel = torch.outer(line, line) / line.sum() ** 2
        self.register_buffer("weight", kernel.float().repeat(3, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, 3, H, W] to [B, 3, ceil(H/4), ceil(W/4)]."""
        # The stride is the decimation: samples that would be dropped are never computed.
        return functional.conv2d(
            x,
            self.weight,
            stride=REDUCTION_FACTOR,
            padding=_KERNEL // 2,
            groups=self.weight.shape[0],
        )


_PEDESTAL = 2.0**-36
_SMALLEST_BETA = 1e-6


class GeneralisedDivisiveNormalisation(nn.Module):
    """y_i = x_i / sqrt(beta_i + sum_j gamma_ij x_j²).

    The parameters are stored as square roots with a small pedestal, so that both stay positive:
    beta = max(stored, sqrt(1e-6 + 2^-36))² − 2^-36 and gamma = max(stored, 2^-18)² − 2^-36.

    Args:
        channels: channels of input and output [B, channels, H, W].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.full((channels,), (1 + _PEDESTAL) ** 0.5))
        self.gamma = nn.Parameter((0.1 * torch.eye(channels) + _PEDESTAL).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the input's shape [B, channels, H, W]."""
        beta = self.beta.clamp(min=(_SMALLEST_BETA + _PEDESTAL) ** 0.5) ** 2 - _PEDESTAL
        gamma = self.gamma.clamp(min=_PEDESTAL**0.5) ** 2 - _PEDESTAL
        energy = functional.conv2d(x**2, gamma[:, :, None, None], beta)
        return x / energy.sqrt()
