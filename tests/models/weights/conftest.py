"""Checkpoints of networks of a few channels, in the form in which training code saves them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.family import Family, imported_families
from models.published.cfte.configuration import CFTE_CONVENTIONS
from models.published.cfte.network import Cfte
from models.published.fomm.configuration import FOMM_CONVENTIONS
from models.published.fomm.network import Fomm
from models.published.fv2v.configuration import FV2V_CONVENTIONS
from models.published.fv2v.network import Fv2v
from models.weights import loading
from models.weights.store import WeightsStore
from tests.models.published.tiny import TINY_CFTE, TINY_FOMM, TINY_FV2V
from tools.parity.weights import filled_weights, unallocated

Weights = dict[str, Tensor]


def build_tiny(family: Family, variant: str, names: Collection[str]) -> nn.Module:
    """In place of `loading.build_network`: as many keypoints, but few channels."""
    if family.name == "fomm":
        conventions = FOMM_CONVENTIONS[variant]
        return unallocated(lambda: Fomm(replace(TINY_FOMM, keypoints=10, conventions=conventions)))
    if family.name == "cfte":
        cfte = replace(TINY_CFTE, conventions=CFTE_CONVENTIONS[variant])
        return unallocated(lambda: Cfte(cfte))
    fv2v = replace(
        TINY_FV2V,
        keypoints=15,
        conventions=FV2V_CONVENTIONS[variant],
        detector_reduces_picture="kp_detector.down.weight" in names,
    )
    return unallocated(lambda: Fv2v(fv2v))


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loading, "build_network", build_tiny)
    monkeypatch.setenv("GFVC_DEVICE", "cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


@cache
def _filled(name: str, names: tuple[str, ...]) -> Weights:
    return filled_weights(build_tiny(imported_families()[name], "jvet_v2", names), salt="tiny")


def tiny_weights(name: str, *, names: tuple[str, ...] = ()) -> Weights:
    """Weights of the tiny network of a name by the filling rule, flat."""
    return {key: tensor.clone() for key, tensor in _filled(name, names).items()}


def training_checkpoint(weights: Weights, prefix: str = "") -> dict[str, Any]:
    """The dictionary that training code saves: networks, and what only training needs."""
    checkpoint: dict[str, Any] = {
        "epoch": 99,
        "discriminator": {"scale.weight": torch.ones(2)},
        "optimizer_generator": {"state": {0: {"step": 7}}, "param_groups": [{"lr": 2e-4}]},
        "videocompressor": {"module.weight": torch.zeros(1)},
    }
    for name, tensor in weights.items():
        entry, _, parameter = name.partition(".")
        checkpoint.setdefault(entry, {})[prefix + parameter] = tensor
    return checkpoint


SaveCheckpoint = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> SaveCheckpoint:
    """Save an object as `torch.save` does, in the form of today or of old versions."""

    def write(content: object, name: str = "public.pth.tar", *, old: bool = False) -> Path:
        path = tmp_path / name
        torch.save(content, path, _use_new_zipfile_serialization=not old)
        return path

    return write


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path / "weights")
