"""Training CFTE."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from models.errors import TrainingError
from models.family import TaskOptions
from models.published import cards
from models.published.cfte.configuration import CFTE_CONVENTIONS, CfteConfiguration
from models.published.cfte.network import PICTURE_SIZE, Cfte
from models.published.training import AnimationTask
from models.training.losses import as_coded
from models.training.task import Batch

_LAYOUT = cards.cfte()[0].layout


@dataclass(frozen=True)
class CfteTask(AnimationTask):
    """A compact feature that makes the key picture move like the driven one.

    Chen et al., "Beyond Keypoint Coding: Temporal Evolution Inference with Compact Feature
    Representation for Talking Face Video Compression", DCC 2022. Its features are no places, so
    that no equivariance is asked of them; the shared losses are all.

    Attributes:
        configuration: of the network.
    """

    name = "cfte"
    configuration: CfteConfiguration = field(default_factory=CfteConfiguration)

    def check_size(self, size: int) -> None:
        """256 only: see `CfteConfiguration`."""
        if size != PICTURE_SIZE:
            raise TrainingError(f"cfte works on pictures of width {PICTURE_SIZE} only, not {size}")

    def build_network(self) -> Cfte:
        """A new network with random weights."""
        return Cfte(self.configuration)

    def _draw(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, Cfte)

        def feature(picture: Tensor) -> Tensor:
            found: Tensor = network.kp_detector(picture)
            return as_coded(found, _LAYOUT.matrix_precision, training=network.training)

        picture: Tensor = network.generator(batch.key, feature(batch.key), feature(batch.driven))
        return picture, {}


def task(options: TaskOptions) -> CfteTask:
    """The task of a published copy."""
    return CfteTask(CfteConfiguration(conventions=CFTE_CONVENTIONS[options.variant]))
