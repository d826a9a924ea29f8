"""What the training of FOMM, CFTE and FV2V has in common: their task, and equivariance.

The equivariance constraint of Siarohin et al., "First Order Motion Model for Image Animation",
2019, section 3.1: keypoints found in a deformed picture, taken through the deformation, are those
of the picture itself. A deformation is affine plus thin-plate splines (Bookstein, "Principal
warps", 1989). Positions are −1..1, x then y, with the centres of border samples at ±1.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.errors import TrainingError
from models.published.layers.blocks import REDUCTION_FACTOR
from models.published.layers.motion import coordinate_grid, sample
from models.training.augmentation import Pair
from models.training.task import Batch, Outputs


@dataclass(frozen=True)
class AnimationTask(ABC):
    """Self-supervised training of a network on pairs of pictures from one clip.

    The network analyses both pictures and draws the driven one from the key picture and both sets
    of parameters, which are rounded as the stream rounds them. Whole pictures are drawn, in
    float32: bfloat16 has no more than 8 bits, too few for positions.

    Exported weights have the names of published checkpoints, for `gfvc models import`.

    Attributes:
        name: that weights files begin with; that of the architecture.
        configuration: the dataclass that the network is built from.
    """

    name: ClassVar[str]
    configuration: Any

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Names of the task's own losses; each has a field of that name with `_weight` behind."""
        return ()

    @property
    def codes_differences(self) -> bool:
        """False: no loss needs the picture before."""
        return False

    @property
    def width_multiple(self) -> int:
        """Of what widths are multiples: hourglasses halve a quarter of them at each level."""
        levels = max(self.configuration.detector.levels, self.configuration.motion.levels)
        multiple: int = REDUCTION_FACTOR * 2**levels
        return multiple

    def check_size(self, size: int) -> None:
        """Raise `TrainingError` for a width of pictures that the network cannot have."""
        if size % self.width_multiple:
            raise TrainingError(
                f"{self.name} works on pictures whose width is a multiple of "
                f"{self.width_multiple}, not {size}"
            )

    @abstractmethod
    def build_network(self) -> nn.Module:
        """A new network with random weights."""

    def metadata(self) -> dict[str, str]:
        """Architecture, and configuration as JSON."""
        return {
            "architecture": self.name,
            "configuration": json.dumps(asdict(self.configuration)),
        }

    def prepare(
        self, pair: Pair, random: np.random.Generator | None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Nothing: the network gets pictures only."""
        return {}

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        """Draw the driven pictures, whole; the task's own losses only in training."""
        with torch.autocast(batch.key.device.type, enabled=False):
            picture, losses = self._draw(network, batch)
        weighted = {name: getattr(self, f"{name}_weight") * loss for name, loss in losses.items()}
        return Outputs(picture, batch.driven, losses=weighted)

    @abstractmethod
    def _draw(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Drawn pictures [B, 3, S, S] in 0..1, and in training the losses, not weighted."""


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
        positions = self.positions(grid.reshape(1, -1, 2).expand(len(picture), -1, -1))
        return sample(picture, positions.reshape(-1, *grid.shape), align_corners=True)

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
