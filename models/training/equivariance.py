"""Random smooth deformations of pictures, which keypoints have to follow.

The equivariance constraint of Siarohin et al., "First Order Motion Model for Image Animation",
2019, section 3.1: keypoints found in a deformed picture, taken through the deformation, are those
of the picture itself. A deformation is affine plus thin-plate splines (Bookstein, "Principal
warps", 1989). Positions are −1..1, x then y, with the centres of border samples at ±1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.layers import coordinate_grid, sample

_EPSILON = 1e-6
_CONTROL_POINTS = 5
"""Along each axis."""

AFFINE_SPREAD, BEND_SPREAD = 0.05, 0.005
"""Standard deviations of the entries of the affine part and of the splines' weights."""


@dataclass(frozen=True, slots=True)
class Deformation:
    """A deformation for each picture of a batch: T(z) = A z + a + Σ b U(|z − c|), U(r) = r² ln r.

    Attributes:
        affine: [B, 2, 3], A and a.
        bends: [B, C, 2], the weights b of the control points c.
        centres: [C, 2].
    """

    affine: Tensor
    bends: Tensor
    centres: Tensor

    def positions(self, positions: Tensor) -> Tensor:
        """Where the deformed picture's positions [B, N, 2] lie in the picture, [B, N, 2]."""
        offsets = self._offsets(positions)
        squared = (offsets**2).sum(dim=-1)
        bends = (0.5 * squared * torch.log(squared + _EPSILON)) @ self.bends
        return positions @ self.affine[:, :, :2].mT + self.affine[:, None, :, 2] + bends

    def jacobians(self, positions: Tensor) -> Tensor:
        """The derivative of `positions`, [B, N, 2, 2]: row of the result, column of the input."""
        offsets = self._offsets(positions)
        squared = (offsets**2).sum(dim=-1, keepdim=True)
        slopes = offsets * (torch.log(squared + _EPSILON) + squared / (squared + _EPSILON))
        return self.affine[:, None, :, :2] + torch.einsum("bci,bncj->bnij", self.bends, slopes)

    def picture(self, picture: Tensor) -> Tensor:
        """Deform pictures [B, 3, H, W]: each place shows what is at its position; zeros outside."""
        grid = coordinate_grid(picture.shape[2:], like=picture)
        places = self.positions(grid.reshape(1, -1, 2).expand(len(picture), -1, -1))
        return sample(picture, places.reshape(-1, *grid.shape), align_corners=True)

    def _offsets(self, positions: Tensor) -> Tensor:
        return positions[:, :, None] - self.centres


def random_deformation(batch: int, like: Tensor) -> Deformation:
    """Deformations near the identity, of the dtype and device of `like`."""
    identity = torch.eye(2, 3, dtype=like.dtype, device=like.device)
    centres = coordinate_grid((_CONTROL_POINTS, _CONTROL_POINTS), like=like).reshape(-1, 2)
    return Deformation(
        identity + AFFINE_SPREAD * torch.randn(batch, 2, 3, dtype=like.dtype, device=like.device),
        BEND_SPREAD * torch.randn(batch, len(centres), 2, dtype=like.dtype, device=like.device),
        centres,
    )


def position_loss(found: Tensor, followed: Tensor) -> Tensor:
    """Mean distance along the axes of keypoints [B, K, 2] and those that followed a deformation."""
    return (found - followed).abs().mean()


def jacobian_loss(inverse: Tensor, followed: Tensor) -> Tensor:
    """Mean difference from the identity of J⁻¹ · (T′ J_deformed), which should be that.

    Args:
        inverse: J⁻¹ [B, K, 2, 2] of the picture's keypoints.
        followed: T′ J_deformed [B, K, 2, 2], those of the deformed picture after the deformation.
    """
    identity = torch.eye(2, dtype=inverse.dtype, device=inverse.device)
    return (inverse @ followed - identity).abs().mean()
