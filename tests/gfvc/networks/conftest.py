"""The codec with FOMM, CFTE and FV2V of a few channels and synthetic weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from models import ModelCard, RegisteredModel, Registry
from models.family import imported_families
from models.published.cfte.model import CfteModel
from models.published.cfte.network import Cfte
from models.published.fomm.model import FommModel
from models.published.fomm.network import Fomm
from models.published.fv2v.model import Fv2vKeypointModel, Fv2vModel
from models.published.fv2v.network import Fv2v
from models.published.model import NetworkModel
from models.runtime import Runtime
from tests.models.published.tiny import TINY_CFTE, TINY_FOMM, TINY_FV2V, filled

CARDS = {card.name: card for network in imported_families().values() for card in network.cards()}

# Volumes of the whole picture's resolution would take most of the time of these tests.
FAST_FV2V = replace(TINY_FV2V, keypoints=15, depth=2, detector_reduces_picture=True)


def tiny_model(card: ModelCard, runtime: Runtime = Runtime()) -> NetworkModel:
    if card.name == "fomm":
        return FommModel(filled(Fomm(replace(TINY_FOMM, keypoints=10))), card, runtime)
    if card.name == "cfte":
        return CfteModel(filled(Cfte(TINY_CFTE)), card, runtime)
    network = filled(Fv2v(FAST_FV2V))
    return (Fv2vKeypointModel if card.layout.keypoints else Fv2vModel)(network, card, runtime)


def registry_of(model: NetworkModel, name: str) -> Registry:
    registry = Registry()
    registry.register(RegisteredModel(CARDS[name], lambda _: model))
    return registry


@pytest.fixture(autouse=True)
def _quiet_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GFVC_DEVICE", "cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=list(CARDS))
def name(request: pytest.FixtureRequest) -> str:
    """Name of each network's model in turn."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def model(name: str) -> NetworkModel:
    return tiny_model(CARDS[name])
