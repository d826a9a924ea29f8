"""What the tasks of FOMM, CFTE and FV2V have in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.training.augmentation import Pair
from models.training.errors import TrainingError
from models.training.task import Batch, Outputs


@dataclass(frozen=True)
class AnimationTask(ABC):
    """Self-supervised training of a network on pairs of pictures from one clip.

    The network analyses both pictures and draws the driven one from the key picture and both sets
    of parameters, which are rounded as the stream rounds them. Whole pictures are drawn, in
    float32: bfloat16 has no more than 8 bits, too few for positions.

    Exported weights have the names of published checkpoints, for `gfvc models import`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name that weights files begin with; that of the architecture."""

    @property
    @abstractmethod
    def loss_names(self) -> tuple[str, ...]:
        """Names of the task's own losses; each has a field of that name with `_weight` behind."""

    @property
    def codes_differences(self) -> bool:
        """False: no loss needs the picture before."""
        return False

    @abstractmethod
    def network_configuration(self) -> Any:
        """The dataclass that the network is built from."""

    @abstractmethod
    def check_size(self, size: int) -> None:
        """Raise `TrainingError` for a width of pictures that the network cannot have."""

    @abstractmethod
    def build_network(self) -> nn.Module:
        """A new network with random weights."""

    def metadata(self) -> dict[str, str]:
        """Architecture, and configuration as JSON."""
        configuration = json.dumps(asdict(self.network_configuration()))
        return {"architecture": self.name, "configuration": configuration}

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

    def _check_multiple(self, size: int, multiple: int) -> None:
        if size % multiple:
            raise TrainingError(
                f"{self.name} works on pictures whose width is a multiple of {multiple}, not {size}"
            )

    @abstractmethod
    def _draw(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Drawn pictures [B, 3, S, S] in 0..1, and in training the losses, not weighted."""
