"""The codec with FOMM, CFTE and FV2V of a few channels and synthetic weights."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from models import RegisteredModel, Registry
from models.published.model import NetworkModel
from tests.models.published.tiny import CARDS, tiny_model


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
