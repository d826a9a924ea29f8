"""Coordinate grids and sampling at positions.

Positions are in units of half the picture: −1 and +1 are the two borders along an axis. The last
axis of a position tensor is ordered x, y (and z, the depth). A grid puts the *centres* of its
border samples at ±1. A sampler either agrees (``align_corners=True``) or puts the outer *edges* of
the border samples there (``align_corners=False``); published copies of the networks differ in this.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def coordinate_axis(samples: int, like: Tensor) -> Tensor:
    """Positions [samples] along one axis, border centres at exactly −1 and +1."""
    return 2 * torch.arange(samples, dtype=like.dtype, device=like.device) / (samples - 1) - 1


def coordinate_grid(size: Sequence[int], like: Tensor) -> Tensor:
    """Positions of all samples of a grid, border centres at exactly −1 and +1.

    Args:
        size: samples per axis, (H, W) or (D, H, W), each at least 2.
        like: gives dtype and device.

    Returns:
        [H, W, 2] in order x, y, or [D, H, W, 3] in order x, y, z.
    """
    axes = torch.meshgrid(*(coordinate_axis(n, like) for n in size), indexing="ij")
    return torch.stack(axes[::-1], dim=-1)


def sample(source: Tensor, positions: Tensor, *, align_corners: bool) -> Tensor:
    """Sample linearly at positions, zeros outside.

    Args:
        source: [B, C, H, W] or [B, C, D, H, W]; a batch of 1 serves every batch of positions.
        positions: [B, h, w, 2] in order x, y or [B, d, h, w, 3] in order x, y, z.
        align_corners: whether ±1 is the centre (True) or the outer edge (False) of a border sample.

    Returns:
        [B, C, h, w] or [B, C, d, h, w].
    """
    source = source.expand(positions.shape[0], *source.shape[1:])
    return functional.grid_sample(
        source, positions, mode="bilinear", padding_mode="zeros", align_corners=align_corners
    )


def sample_each(source: Tensor, positions: Tensor, *, align_corners: bool) -> Tensor:
    """Sample one source with several sets of positions.

    Args:
        source: [B, C, H, W] or [B, C, D, H, W]; a batch of 1 serves every batch of positions.
        positions: [B, K, h, w, 2] or [B, K, d, h, w, 3].
        align_corners: as in `sample`.

    Returns:
        [B, K, C, h, w] or [B, K, C, d, h, w].
    """
    # The sets are stacked along the first spatial axis, so the source is not copied K times.
    stacked = sample(source, positions.flatten(1, 2), align_corners=align_corners)
    batch, channels, _, *rest = stacked.shape
    return stacked.reshape(batch, channels, *positions.shape[1:3], *rest).transpose(1, 2)


def warp_by_pixels(source: Tensor, flow: Tensor, *, align_corners: bool) -> Tensor:
    """Sample at pixel index + flow, as CFTE does.

    The position p is normalised as 2p/(n − 1) − 1, which belongs to ``align_corners=True``. With
    False the conventions disagree, as published: index i reads i·n/(n − 1) − 0.5, so that even zero
    flow resamples and the border rows and columns lose half their weight.

    Args:
        source: [B, C, H, W]; a batch of 1 serves every batch of flows.
        flow: [B, H, W, 2] in samples, order x, y.
        align_corners: as in `sample`.

    Returns:
        [B, C, H, W].
    """
    height, width = source.shape[2:]
    step = torch.tensor([2 / (width - 1), 2 / (height - 1)], dtype=flow.dtype, device=flow.device)
    positions = coordinate_grid((height, width), like=flow) + flow * step
    return sample(source, positions, align_corners=align_corners)


def enlarge_positions(positions: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge a field of positions or flow bilinearly, its values unchanged.

    Args:
        positions: [B, h, w, 2].
        size: (H, W) wanted.

    Returns:
        [B, H, W, 2].
    """
    planes = functional.interpolate(
        positions.permute(0, 3, 1, 2), size=size, mode="bilinear", align_corners=False
    )
    return planes.permute(0, 2, 3, 1)
