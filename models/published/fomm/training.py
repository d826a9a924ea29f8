"""Training FOMM."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from models.family import TaskOptions
from models.published import cards
from models.published.fomm.configuration import FOMM_CONVENTIONS, FommConfiguration
from models.published.fomm.network import Fomm, FommKeypoints, inverse_2x2
from models.published.training import (
    AnimationTask,
    jacobian_loss,
    position_loss,
    random_deformation,
)
from models.training.losses import as_coded
from models.training.task import Batch

_LAYOUT = cards.fomm()[0].layout


@dataclass(frozen=True)
class FommTask(AnimationTask):
    """Keypoints and Jacobians that make the key picture move like the driven one.

    Siarohin et al., "First Order Motion Model for Image Animation", NeurIPS 2019.

    Attributes:
        configuration: of the network.
        equivariance_weight: of keypoints that do not follow a deformation of the picture.
        jacobian_weight: of Jacobians that do not.
    """

    name = "fomm"
    configuration: FommConfiguration = field(default_factory=FommConfiguration)
    equivariance_weight: float = 1.0
    jacobian_weight: float = 1.0

    @property
    def loss_names(self) -> tuple[str, ...]:
        """Equivariance, of the Jacobians only where the network uses them."""
        uses_jacobians = self.configuration.conventions.use_jacobians
        return ("equivariance", "jacobian") if uses_jacobians else ("equivariance",)

    def build_network(self) -> Fomm:
        """A new network, whose Jacobians are the identity: random ones may have no inverse."""
        network = Fomm(self.configuration)
        last = network.kp_detector.jacobian
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.eye(2).flatten().repeat(self.configuration.keypoints))
        return network

    def _draw(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, Fomm)
        driving = network.kp_detector(batch.driven)
        picture = network.generator(
            batch.key,
            _coded(network.kp_detector(batch.key), training=network.training),
            _coded(driving, training=network.training),
        )
        return picture, self._losses(network, batch, driving) if network.training else {}

    def _losses(self, network: Fomm, batch: Batch, found: FommKeypoints) -> dict[str, Tensor]:
        deformation = random_deformation(len(batch.driven), batch.driven)
        deformed: FommKeypoints = network.kp_detector(deformation.picture(batch.driven))
        followed = deformation.positions(deformed.positions)
        losses = {"equivariance": position_loss(found.positions, followed)}
        if "jacobian" in self.loss_names:
            jacobians = deformation.jacobians(deformed.positions) @ deformed.jacobians
            losses["jacobian"] = jacobian_loss(inverse_2x2(found.jacobians), jacobians)
        return losses


def _coded(keypoints: FommKeypoints, *, training: bool) -> FommKeypoints:
    return FommKeypoints(
        as_coded(keypoints.positions, _LAYOUT.coordinate_precision, training=training),
        as_coded(keypoints.jacobians, _LAYOUT.matrix_precision, training=training),
    )


def task(options: TaskOptions) -> FommTask:
    """The task of a published copy."""
    return FommTask(FommConfiguration(conventions=FOMM_CONVENTIONS[options.variant]))
