"""The compact feature: what landmarks do not say about a picture, in a few whole numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.face.blocks import ConvolutionBlock
from models.face.card import STEP_LIMIT
from models.face.configuration import FaceConfiguration

ANALYSIS_STEP = 2
"""Pictures are analysed at half their width."""

LIMIT = STEP_LIMIT


# Networks learn best from inputs around 1; most values are a few steps.
_INPUT_SCALE = 1 / 16


class CompactAnalysis(nn.Module):
    """Measures a driven picture against the warped key picture, in the encoder.

    driven, warped ── conv /2 ── conv /2 ── conv /2 ─┬─ mean over the picture ─┬─ linear ── tanh
                                                     └─ mean near each part ───┘
    """

    def __init__(self, configuration: FaceConfiguration, parts: int) -> None:
        super().__init__()
        channels = configuration.motion_channels
        self.convolutions = nn.Sequential(
            ConvolutionBlock(6, channels, stride=2),
            ConvolutionBlock(channels, 2 * channels, stride=2),
            ConvolutionBlock(2 * channels, 4 * channels, stride=2),
        )
        self.last = nn.Linear(4 * channels * (1 + parts), configuration.compact_features)

    def forward(self, driven: Tensor, warped: Tensor, maps: Tensor) -> Tensor:
        """Measure.

        Args:
            driven: reduced picture [B, 3, h, w] in 0..1.
            warped: reduced key picture where the driven landmarks put it [B, 3, h, w].
            maps: heat maps [B, parts, h/8, w/8] of the parts to look at closely.

        Returns:
            [B, K] in quantisation steps, not rounded.
        """
        features = self.convolutions(torch.cat([driven, warped], dim=1)).float()
        weights = torch.cat([torch.ones_like(maps[:, :1]), maps], dim=1).flatten(2)
        weights = weights / weights.sum(dim=2, keepdim=True).clamp(min=1e-3)
        means = torch.einsum("bcn,bpn->bpc", features.flatten(2), weights).flatten(1)
        return torch.tanh(self.last(means).float()) * LIMIT


def compact_planes(steps: Tensor) -> Tensor:
    """Values [B, K] in quantisation steps as input planes [B, K, 1, 1] of networks."""
    return (steps * _INPUT_SCALE)[:, :, None, None]
