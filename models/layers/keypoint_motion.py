"""From keypoints to motion fields, for two and for three dimensions (FOMM and FV2V).

Shapes: K keypoints, D = 2 or 3 coordinates in order x, y (, z), ``*size`` = H, W or depth, H, W. A
source batch of 1 serves every driving batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.layers.sampling import coordinate_axis, coordinate_grid

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
