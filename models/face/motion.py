"""The motion network: from the flow of the landmarks to one that also knows the picture."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.face.blocks import ConvolutionBlock, DoublingBlock, FoldableResidualBlock
from models.face.configuration import FaceConfiguration
from models.face.heat_maps import PARTS
from models.face.places import inside, place_grid, read_at

# Key and warped key picture, heat maps of both, coarse flow, and where it leaves the picture.
_INPUTS = 3 + 3 + 2 * len(PARTS) + 2 + 1
# Displacements are of a few hundredths: the network sees them at the scale of its other inputs.
_FLOW_GAIN = 8.0


class Motion(NamedTuple):
    """Where to read in the key picture, and how far to trust what is there.

    Attributes:
        residual: [B, 2, h, w], what to add to the moving part of the coarse flow.
        places: [B, 2, h, w] in picture widths and heights: all in one.
        occlusion: [B, 1, h, w], 1 where the key picture shows what is wanted.
        moving: [B, 1, h, w], 0 on the static background.
        inside: [B, 1, h, w], 0 where the flow leaves the picture.
    """

    residual: Tensor
    places: Tensor
    occlusion: Tensor
    moving: Tensor
    inside: Tensor


class MotionNetwork(nn.Module):
    """Refines a coarse backward flow at its own resolution.

    inputs ── enter ─┬─ down ─┬─ deep ── blocks ── up ─┐
                     │        └───────────────────── concat ── middle ── up ─┐
                     └─────────────────────────────────────────────────── concat ── leave ── out

    places = grid + moving · coarse flow + residual
    """

    def __init__(self, configuration: FaceConfiguration) -> None:
        super().__init__()
        channels = configuration.motion_channels
        self.reach = configuration.residual_reach
        self.enter = ConvolutionBlock(_INPUTS + configuration.compact_features, channels)
        self.down = ConvolutionBlock(channels, 2 * channels, stride=2)
        self.deep = ConvolutionBlock(2 * channels, 4 * channels, stride=2)
        self.blocks = FoldableResidualBlock(4 * channels)
        self.middle = DoublingBlock(4 * channels, 2 * channels, 2 * channels)
        self.leave = DoublingBlock(2 * channels, channels, channels)
        self.out = nn.Conv2d(channels, 4, 3, padding=1)
        # Training starts from the flow of the landmarks, trusted nearly everywhere.
        nn.init.zeros_(self.out.weight)
        with torch.no_grad():
            assert self.out.bias is not None
            self.out.bias.copy_(torch.tensor([0.0, 0.0, 2.0, 2.0]))

    def forward(
        self,
        key: Tensor,
        key_maps: Tensor,
        driven_maps: Tensor,
        flow: Tensor,
        compact: Tensor | None = None,
    ) -> Motion:
        """Refine a flow.

        Args:
            key: reduced key picture [B, 3, h, w] in 0..1.
            key_maps: heat maps [B, 8, h, w] of the key picture.
            driven_maps: heat maps [B, 8, h, w] of the driven picture.
            flow: displacements [B, 2, h, w] in picture widths and heights.
            compact: planes [B, K, 1, 1] of the compact feature, or None for K = 0.
        """
        grid = place_grid(flow.shape[-1], flow)
        coarse = grid + flow
        planes = [
            key,
            read_at(key, coarse),
            key_maps,
            driven_maps,
            flow * _FLOW_GAIN,
            inside(coarse),
        ]
        if compact is not None:
            planes.append(compact.expand(-1, -1, *flow.shape[2:]))
        entered = self.enter(torch.cat(planes, dim=1))
        down = self.down(entered)
        deep = self.blocks(self.deep(down))
        middle = self.middle(deep, down)
        out = self.out(self.leave(middle, entered)).float()
        moving = torch.sigmoid(out[:, 2:3])
        residual = self.reach * torch.tanh(out[:, :2])
        places = grid + flow * moving + residual
        return Motion(residual, places, torch.sigmoid(out[:, 3:4]), moving, inside(places))
