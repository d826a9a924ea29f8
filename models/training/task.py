"""What a network has to tell the trainer, and what it gets from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from models.training.augmentation import Pair


@dataclass(frozen=True, slots=True)
class Window:
    """A square of `size` pixels at (`x`, `y`), all multiples of 8 to fit reduced planes."""

    x: int
    y: int
    size: int

    def __post_init__(self) -> None:
        if (
            min(self.x, self.y) < 0
            or self.size < 8
            or any(value % 8 for value in (self.x, self.y, self.size))
        ):
            raise ValueError(f"{self}: place and size are multiples of 8, within the picture")

    def cut(self, planes: Tensor, picture_size: int) -> Tensor:
        """The window of planes [..., h, w] that show a picture of `picture_size` pixels."""
        step = picture_size // planes.shape[-1]
        x, y, size = self.x // step, self.y // step, self.size // step
        return planes[..., y : y + size, x : x + size]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs of pictures of one person each, on the device of the network.

    Attributes:
        key: key pictures [B, 3, S, S] in 0..1, perhaps damaged by coding.
        driven: driven pictures [B, 3, S, S] in 0..1.
        key_landmarks: [B, 478, 3] in picture widths.
        driven_landmarks: [B, 478, 3].
        extras: what `TrainingTask.prepare` returned, stacked.
        window: the part to draw; None for whole pictures.
        previous: [B, 3, S, S], the pictures before the driven ones, for a task that codes
            differences.
    """

    key: Tensor
    driven: Tensor
    key_landmarks: Tensor
    driven_landmarks: Tensor
    extras: Mapping[str, Tensor]
    window: Window | None = None
    previous: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a network made of a batch.

    Attributes:
        picture: drawn pictures [B, 3, h, w] in 0..1, of the batch's window where it has one.
        target: what they should have been, of the same shape.
        warped: warped key pictures of the same shape, for sheets, or None.
        importance: weight of each pixel [B, 1, h, w] in the loss, or None for 1.
        losses: terms of the task's own, weighted already; their names are its `loss_names`.
    """

    picture: Tensor
    target: Tensor
    warped: Tensor | None = None
    importance: Tensor | None = None
    losses: Mapping[str, Tensor] = field(default_factory=dict)


class TrainingTask(Protocol):
    """A network to train, and how it turns a batch into pictures and losses."""

    @property
    def name(self) -> str:
        """Name that weights files begin with."""

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Names of the task's own losses."""

    @property
    def codes_differences(self) -> bool:
        """Whether pairs need the picture before the driven one."""

    def check_size(self, size: int) -> None:
        """Raise `TrainingError` for a width of pictures that the network cannot have."""

    def build_network(self) -> nn.Module:
        """A new network with random weights."""

    def metadata(self) -> dict[str, str]:
        """What a weights file has to say about the network, to build it again."""

    def prepare(
        self, pair: Pair, random: np.random.Generator | None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Inputs of a pair that are cheaper found outside the network; run in worker threads.

        `random` is None in validation, where nothing may be left to chance.
        """

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        """Draw the driven pictures of a batch."""
