"""From imported weights to a model."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from models.card import ModelCard, file_sha256
from models.checkpoints.architectures import Architecture
from models.checkpoints.reading import read_checkpoint
from models.checkpoints.tensors import fit_tensors
from models.contract import AnimationModel
from models.errors import CheckpointError
from models.published.model import NetworkModel
from models.runtime import Runtime


def build_network(architecture: Architecture, variant: str, names: Collection[str]) -> nn.Module:
    """The network that tensors of these names belong to, without memory for its own.

    The names matter where one is present in some checkpoints only, and says how the network works.
    """
    with torch.device("meta"):
        if architecture.name == "fomm":
            from models.published.fomm.configuration import FOMM_CONVENTIONS, FommConfiguration
            from models.published.fomm.network import Fomm

            return Fomm(FommConfiguration(conventions=FOMM_CONVENTIONS[variant]))
        if architecture.name == "cfte":
            from models.published.cfte.configuration import CFTE_CONVENTIONS, CfteConfiguration
            from models.published.cfte.network import Cfte

            return Cfte(CfteConfiguration(conventions=CFTE_CONVENTIONS[variant]))
        from models.published.fv2v.configuration import FV2V_CONVENTIONS, Fv2vConfiguration
        from models.published.fv2v.network import Fv2v

        return Fv2v(
            Fv2vConfiguration(
                conventions=FV2V_CONVENTIONS[variant],
                detector_reduces_picture="kp_detector.down.weight" in names,
            )
        )


def wrap_network(network: nn.Module, card: ModelCard, runtime: Runtime = Runtime()) -> NetworkModel:
    """The model of a network with weights, in the layout of a card."""
    from models.published.cfte.model import CfteModel
    from models.published.cfte.network import Cfte
    from models.published.fomm.model import FommModel
    from models.published.fomm.network import Fomm
    from models.published.fv2v.model import Fv2vKeypointModel, Fv2vModel
    from models.published.fv2v.network import Fv2v

    if isinstance(network, Fomm):
        return FommModel(network, card, runtime)
    if isinstance(network, Cfte):
        return CfteModel(network, card, runtime)
    assert isinstance(network, Fv2v)
    return (Fv2vKeypointModel if card.layout.keypoints else Fv2vModel)(network, card, runtime)


def load_network_model(
    architecture: Architecture, variant: str, card: ModelCard, runtime: Runtime = Runtime()
) -> AnimationModel:
    """A model of imported weights.

    Raises:
        CheckpointError: the file of weights is missing, altered, or not of this network.
    """
    path = card.path
    assert path is not None
    if file_sha256(path) != card.sha256:
        raise CheckpointError(
            f"{path}: differs from its card; import the weights again with gfvc models import "
            f"{architecture.name} FILE"
        )
    tensors = read_checkpoint(path, architecture.entries)
    network = build_network(architecture, variant, tensors.keys())
    try:
        fitted = fit_tensors(tensors, network)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    network.load_state_dict(fitted, strict=True, assign=True)
    return wrap_network(network, card, runtime)
