"""Coordinate grids, sampling at positions, and the motion fields of keypoints (FOMM and FV2V).

Positions are in units of half the picture: −1 and +1 are the two borders along an axis. The last
axis of a position tensor is ordered x, y (and z, the depth). A grid puts the *centres* of its
border samples at ±1. A sampler either agrees (``align_corners=True``) or puts the outer *edges* of
the border samples there (``align_corners=False``); published copies of the networks differ in this.

Shapes: K keypoints, D = 2 or 3 coordinates in order x, y (, z), ``*size`` = H, W or depth, H, W. A
source batch of 1 serves every driving batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


_HEATMAP_VARIANCE = 0.01


@dataclass(frozen=True)
class DenseMotion:
    """What a dense motion network says about every driving position.

    Attributes:
        mask: [B, K+1, *size] share of every sparse motion, 0..1, summing to 1 over the motions.
        deformation: [B, *size, D] position in the source to read from, ±1 at the borders.
        occlusion: [B, 1, H, W] 0 where the source shows nothing of use, 1 where all of it.
    """

    mask: Tensor
    deformation: Tensor
    occlusion: Tensor


def expected_positions(weights: Tensor) -> Tensor:
    """Centre of mass of heat maps.

    Args:
        weights: [B, K, *size], each map summing to 1.

    Returns:
        [B, K, D] positions, ±1 at the centres of the border samples.
    """
    # Along one axis at a time: sums over all other axes first are cheaper and rounded less than a
    # product with the whole grid.
    spatial = range(2, weights.ndim)
    expectations = []
    for axis in reversed(spatial):
        profile = weights.sum(dim=[other for other in spatial if other != axis])
        expectations.append((profile * coordinate_axis(weights.shape[axis], weights)).sum(dim=-1))
    return torch.stack(expectations, dim=-1)


def softmax_over_space(logits: Tensor, temperature: float) -> Tensor:
    """Heat maps [B, K, *size] that sum to 1, of logits [B, K, *size] divided by ``temperature``.

    A soft-max in single precision adds a million samples up with a relative error of up to 3e-4
    that depends on the vector width of the processor. Dividing by the sum afterwards takes it out,
    so that machines agree to 1e-6.
    """
    weights = (logits / temperature).flatten(2).softmax(dim=2)
    return (weights / weights.sum(dim=2, keepdim=True)).view_as(logits)


def _over_space(points: Tensor, size: Sequence[int]) -> Tensor:
    """[B, K, D] to [B, K, 1, …, 1, D], to be combined with a grid of ``size``."""
    return points.view(*points.shape[:2], *(1 for _ in size), points.shape[2])


def _heatmaps(points: Tensor, size: Sequence[int]) -> Tensor:
    distance = coordinate_grid(size, like=points) - _over_space(points, size)
    return torch.exp(-0.5 * (distance**2).sum(dim=-1) / _HEATMAP_VARIANCE)


def heatmap_differences(source: Tensor, driving: Tensor, size: Sequence[int]) -> Tensor:
    """Gaussian of every driving keypoint less that of the source, after a zero background map.

    Args:
        source: [B, K, D] keypoints of the key picture.
        driving: [B, K, D] keypoints of the driving picture.
        size: samples per axis of the maps.

    Returns:
        [B, K+1, *size]; the variance of the Gaussians is 0.01.
    """
    differences = _heatmaps(driving, size) - _heatmaps(source, size)
    return torch.cat([torch.zeros_like(differences[:, :1]), differences], dim=1)


def sparse_motions(
    source: Tensor, driving: Tensor, size: Sequence[int], matrices: Tensor | None = None
) -> Tensor:
    """Motion that every keypoint suggests for the whole picture, after the identity.

    T_0(z) = z and T_k(z) = M_k (z − driving_k) + source_k: for a position z of the driving picture,
    the position in the source.

    Args:
        source: [B, K, D] keypoints of the key picture.
        driving: [B, K, D] keypoints of the driving picture.
        size: samples per axis of the fields.
        matrices: [B, K, D, D] M_k; None is the identity.

    Returns:
        [B, K+1, *size, D].
    """
    grid = coordinate_grid(size, like=driving)
    offset = grid - _over_space(driving, size)
    if matrices is not None:
        offset = (offset.flatten(2, -2) @ matrices.mT).view_as(offset)
    moved = offset + _over_space(source, size)
    return torch.cat([grid.expand_as(moved[:, :1]), moved], dim=1)


def motion_network_input(heatmaps: Tensor, deformed: Tensor) -> Tensor:
    """Interleave per motion: its heat map, then the source as that motion deforms it.

    Args:
        heatmaps: [B, K+1, *size].
        deformed: [B, K+1, C, *size].

    Returns:
        [B, (K+1)·(1+C), *size].
    """
    return torch.cat([heatmaps.unsqueeze(2), deformed], dim=2).flatten(1, 2)


def blend_motions(mask: Tensor, motions: Tensor) -> Tensor:
    """Sum of motions [B, K+1, *size, D] weighted by mask [B, K+1, *size]: [B, *size, D]."""
    return (mask.unsqueeze(-1) * motions).sum(dim=1)
