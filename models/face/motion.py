"""The motion network: from the flow of the landmarks to one that also knows the picture.

A sampling grid says where in the key picture to read: planes [B, 2, h, w] of x and y in picture
widths and heights, 0..1 inside. Landmarks are seen as heat maps: how near each pixel is to a
contour of the face.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.face.blocks import (
    ConvolutionBlock,
    DoublingBlock,
    FaceConfiguration,
    FoldableResidualBlock,
)
from models.landmarks import points as groups

MOTION_STEP = 4
"""The motion network works on squares of this many pixels: 64 rows and columns for 256."""


def shrink(planes: Tensor, side: int) -> Tensor:
    """[B, C, h, h] to [B, C, side, side], each value a mean where h is a multiple of it."""
    factor = planes.shape[-1] // side
    return enlarge(functional.avg_pool2d(planes, factor) if factor > 1 else planes, side)


def identity_grid(size: int, like: Tensor) -> Tensor:
    """Centres of the cells of a square grid, [1, 2, size, size], of `like`'s device, float32."""
    centres = (torch.arange(size, dtype=torch.float32, device=like.device) + 0.5) / size
    x = centres.reshape(1, size).expand(size, size)
    return torch.stack([x, x.t()]).unsqueeze(0)


def sample_at(source: Tensor, grid: Tensor) -> Tensor:
    """Sample [B, C, H, W] linearly at a grid [B, 2, h, w]; the border repeats outside.

    In float32 always: bfloat16 positions would miss by half a pixel.
    """
    with torch.autocast(source.device.type, enabled=False):
        positions = grid.float().permute(0, 2, 3, 1) * 2 - 1
        return functional.grid_sample(
            source.float(), positions, mode="bilinear", padding_mode="border", align_corners=False
        )


def enlarge(planes: Tensor, size: int) -> Tensor:
    """[B, C, h, w] to [B, C, size, size], bilinearly."""
    if planes.shape[-1] == size:
        return planes
    return functional.interpolate(planes, size=(size, size), mode="bilinear", align_corners=False)


def inside(grid: Tensor) -> Tensor:
    """1 where a grid [B, 2, h, w] lies in the picture, falling to 0 over one cell: [B, 1, h, w]."""
    beyond = ((grid - 0.5).abs() - 0.5).amax(dim=1, keepdim=True)
    return (1 - beyond.clamp(min=0) * grid.shape[-1]).clamp(min=0)


PARTS: tuple[tuple[int, ...], ...] = (
    groups.LIPS_OUTER,
    groups.LIPS_INNER,
    groups.RIGHT_EYE,
    groups.LEFT_EYE,
    (groups.RIGHT_IRIS[0], groups.LEFT_IRIS[0]),
    (*groups.RIGHT_BROW, *groups.LEFT_BROW),
    groups.NOSE,
    groups.FACE_OVAL,
)
DETAIL_PARTS = 5
"""How many of the first parts are lips, eyes and irises."""


def heat_maps(landmarks: Tensor, size: int, width: float, parts: int = len(PARTS)) -> Tensor:
    """Gaussians of the distance to the nearest landmark of each part.

    Args:
        landmarks: [B, 478, 2] in picture widths and heights, 0..1 inside the picture.
        size: height and width of the maps.
        width: standard deviation in picture widths.
        parts: how many of `PARTS` to draw.

    Returns:
        [B, parts, size, size], 0..1.
    """
    drawn = PARTS[:parts]
    points = landmarks[:, [point for part in drawn for point in part]]
    centres = (torch.arange(size, dtype=torch.float32, device=landmarks.device) + 0.5) / size
    # A Gaussian of the distance is the product of those along x and y: few exponentials.
    distances = centres[:, None] - points.transpose(1, 2)[:, :, None, :]
    along = torch.exp(distances**2 / (-2 * width * width))
    counts = [len(part) for part in drawn]
    # The points of a part come last, where their greatest value is found fastest.
    columns, rows = (torch.split(values, counts, dim=2) for values in along.unbind(dim=1))
    maps = [(y[:, :, None] * x[:, None]).amax(dim=3) for x, y in zip(columns, rows, strict=True)]
    return torch.stack(maps, dim=1)


# Key and warped key picture, heat maps of both, coarse flow, and where it leaves the picture.
INPUTS = 3 + 3 + 2 * len(PARTS) + 2 + 1
# Displacements are of a few hundredths: the network sees them at the scale of its other inputs.
_FLOW_GAIN = 8.0


class RefinedMotion(NamedTuple):
    """Where to sample the key picture, and how far to trust what is there.

    Attributes:
        residual: [B, 2, h, w], what to add to the moving part of the coarse flow.
        grid: sampling grid [B, 2, h, w]: all in one.
        occlusion: [B, 1, h, w], 1 where the key picture shows what is wanted.
        moving: [B, 1, h, w], 0 on the static background.
        inside: [B, 1, h, w], 0 where the flow leaves the picture.
    """

    residual: Tensor
    grid: Tensor
    occlusion: Tensor
    moving: Tensor
    inside: Tensor


class MotionNetwork(nn.Module):
    """Refines a coarse backward flow at its own resolution.

    inputs ── enter ─┬─ down ─┬─ deep ── blocks ── up ─┐
                     │        └───────────────────── concat ── middle ── up ─┐
                     └─────────────────────────────────────────────────── concat ── leave ── out

    grid = identity + rest motion + moving · coarse flow + residual
    """

    def __init__(self, configuration: FaceConfiguration) -> None:
        super().__init__()
        channels = configuration.motion_channels
        self.reach = configuration.residual_reach
        rest = 2 if configuration.fusing_channels else 0
        inputs = INPUTS + rest + configuration.compact_features
        self.enter = ConvolutionBlock(inputs, channels)
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
        rest: Tensor | None = None,
    ) -> RefinedMotion:
        """Refine a flow.

        Args:
            key: reduced key picture [B, 3, h, w] in 0..1.
            key_maps: heat maps [B, 8, h, w] of the key picture.
            driven_maps: heat maps [B, 8, h, w] of the driven picture.
            flow: displacements [B, 2, h, w] in picture widths and heights.
            compact: planes [B, K, 1, 1] of the compact feature, or None for K = 0.
            rest: displacements [B, 2, h, w] of the rest motion, for a network that fuses two
                references: everything follows them, the background too.
        """
        identity = identity_grid(flow.shape[-1], flow)
        if rest is not None:
            identity = identity + rest
        coarse = identity + flow
        planes = [
            key,
            sample_at(key, coarse),
            key_maps,
            driven_maps,
            flow * _FLOW_GAIN,
            inside(coarse),
        ]
        if rest is not None:
            planes.append(rest * _FLOW_GAIN)
        if compact is not None:
            planes.append(compact.expand(-1, -1, *flow.shape[2:]))
        entered = self.enter(torch.cat(planes, dim=1))
        down = self.down(entered)
        deep = self.blocks(self.deep(down))
        middle = self.middle(deep, down)
        out = self.out(self.leave(middle, entered)).float()
        moving = torch.sigmoid(out[:, 2:3])
        residual = self.reach * torch.tanh(out[:, :2])
        grid = identity + flow * moving + residual
        return RefinedMotion(residual, grid, torch.sigmoid(out[:, 3:4]), moving, inside(grid))
