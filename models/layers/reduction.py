"""Reduction of a picture to a quarter of its width and height."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

REDUCTION_FACTOR = 4
_KERNEL = 13
_SIGMA = 1.5


class Reduction(nn.Module):
    """Gaussian low-pass, then every fourth row and column starting at 0.

        x ── pad 6 with zeros ── depth-wise Gaussian 13×13, σ 1.5 ── keep 0::4 ── y

    The kernel is a buffer because the public checkpoints carry it (``down.weight``).

    Args:
        channels: channels of input and output.
    """

    weight: Tensor

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        distance = torch.arange(_KERNEL, dtype=torch.float64) - _KERNEL // 2
        line = torch.exp(-(distance**2) / (2 * _SIGMA**2))
        kernel = torch.outer(line, line) / line.sum() ** 2
        self.register_buffer("weight", kernel.float().repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, C, ceil(H/4), ceil(W/4)]."""
        # The stride is the decimation: samples that would be dropped are never computed.
        return functional.conv2d(
            x,
            self.weight,
            stride=REDUCTION_FACTOR,
            padding=_KERNEL // 2,
            groups=self.weight.shape[0],
        )
