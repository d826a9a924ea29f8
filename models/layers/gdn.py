"""Generalised divisive normalisation (Ballé, Laparra, Simoncelli, ICLR 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

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
