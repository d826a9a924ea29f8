"""Networks of a few channels with synthetic weights, and pictures for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from models import ModelCard
from models.family import imported_families
from models.published.cfte.configuration import CfteConfiguration, CfteConventions
from models.published.cfte.model import CfteModel
from models.published.cfte.network import Cfte
from models.published.fomm.configuration import FommConfiguration, FommConventions
from models.published.fomm.model import FommModel
from models.published.fomm.network import Fomm, FommKeypoints
from models.published.fv2v.configuration import Fv2vConfiguration, Fv2vConventions
from models.published.fv2v.model import Fv2vKeypointModel, Fv2vModel
from models.published.fv2v.network import Fv2v
from models.published.layers.blocks import ChannelPyramid
from models.published.model import NetworkModel
from models.runtime import Runtime
from tools.parity.filling import synthetic_pictures
from tools.parity.weights import filled_weights, load_weights

Network = TypeVar("Network", bound=nn.Module)

TINY_FOMM = FommConfiguration(
    keypoints=3,
    detector=ChannelPyramid(4, 16, 5),
    motion=ChannelPyramid(4, 16, 5),
    generator=ChannelPyramid(4, 16, 2),
    bottleneck_blocks=1,
)
TINY_CFTE = CfteConfiguration(
    detector=ChannelPyramid(4, 16, 5),
    motion=ChannelPyramid(4, 16, 4),
    motion_bottleneck_blocks=1,
    generator=ChannelPyramid(4, 16, 2),
    bottleneck_blocks=1,
)
TINY_FV2V = Fv2vConfiguration(
    keypoints=4,
    depth=4,
    detector=ChannelPyramid(4, 16, 5),
    estimator_channels=4,
    generator=ChannelPyramid(4, 16, 2),
    volume_channels=4,
    residual_blocks=1,
    motion=ChannelPyramid(4, 16, 5),
    compressed_channels=2,
)


def filled(network: Network) -> Network:
    """The network with weights by the filling rule, in evaluation mode."""
    return load_weights(network, filled_weights(network, salt="tiny"))


def tiny_fomm(conventions: FommConventions | None = None) -> Fomm:
    conventions = conventions or FommConventions()
    return filled(Fomm(replace(TINY_FOMM, conventions=conventions)))


def tiny_cfte(conventions: CfteConventions | None = None) -> Cfte:
    conventions = conventions or CfteConventions()
    return filled(Cfte(replace(TINY_CFTE, conventions=conventions)))


def tiny_fv2v(conventions: Fv2vConventions | None = None) -> Fv2v:
    conventions = conventions or Fv2vConventions()
    return filled(Fv2v(replace(TINY_FV2V, conventions=conventions)))


def pictures(size: int) -> list[Tensor]:
    """Three pictures [1, 3, size, size] in 0..1, size a divisor of 256."""
    step = 256 // size
    thinned = synthetic_pictures("tiny")[:, :, ::step, ::step].copy()
    return list((torch.from_numpy(thinned) / 255).unsqueeze(1))


FAMILY_OF_CARD = {
    card.name: family.name for family in imported_families().values() for card in family.cards()
}
CARDS = {card.name: card for family in imported_families().values() for card in family.cards()}

# Volumes of the whole picture's resolution would take most of the time of these tests.
FAST_FV2V = replace(TINY_FV2V, keypoints=15, depth=2, detector_reduces_picture=True)


def tiny_model(card: ModelCard, runtime: Runtime = Runtime()) -> NetworkModel:
    family = FAMILY_OF_CARD[card.name]
    if family == "fomm":
        return FommModel(filled(Fomm(replace(TINY_FOMM, keypoints=10))), card, runtime)
    if family == "cfte":
        return CfteModel(filled(Cfte(TINY_CFTE)), card, runtime)
    if family == "fv2v":
        network = filled(Fv2v(FAST_FV2V))
        return (Fv2vKeypointModel if card.layout.keypoints else Fv2vModel)(network, card, runtime)
    raise NotImplementedError(f"there is no tiny network of the family {family}")


def keypoints_of(network: Fv2v, *shown: Tensor) -> list[Tensor]:
    """Keypoints of pictures, of which the first is the key picture."""
    canonical = network.kp_detector(shown[0])
    return [network.he_estimator(picture).pose().keypoints(canonical) for picture in shown]


def large_motion() -> tuple[FommKeypoints, FommKeypoints]:
    """Invented keypoints of two pictures, far apart and with Jacobians far from the identity."""
    generator = torch.Generator().manual_seed(1)
    source, driving = 1.4 * torch.rand(2, 1, 3, 2, generator=generator) - 0.7
    skew = 0.5 * torch.rand(2, 1, 3, 2, 2, generator=generator) + torch.eye(2)
    return FommKeypoints(source, skew[0]), FommKeypoints(driving, skew[1])
