"""Names, shapes, sizes and cost against the lists of the public checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.published.cfte.network import Cfte
from models.published.fomm.network import Fomm
from models.published.fv2v.network import Fv2v
from models.published.fv2v.pose import Fv2vPose
from tools.parity.weights import unallocated

NETWORKS: list[tuple[str, Callable[[], nn.Module]]] = [
    ("fomm", Fomm),
    ("cfte", Cfte),
    ("fv2v", Fv2v),
]


def description(shared: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shared / "parity" / f"{name}.json").read_text())
    return loaded


@pytest.mark.parametrize(("name", "build"), NETWORKS)
def test_state_dictionaries_are_those_of_the_checkpoints(
    shared: Path, name: str, build: Callable[[], nn.Module]
) -> None:
    network = unallocated(build)
    entries = description(shared, name)["entries"]
    assert entries.keys() == dict(network.named_children()).keys()
    for entry, tensors in entries.items():
        state = network.get_submodule(entry).state_dict()
        ours = [
            [key, list(t.shape), str(t.dtype).removeprefix("torch.")] for key, t in state.items()
        ]
        assert ours == tensors


@pytest.mark.parametrize(("name", "build"), NETWORKS)
def test_parameter_counts(shared: Path, name: str, build: Callable[[], nn.Module]) -> None:
    network = unallocated(build)
    counts = {
        entry: sum(parameter.numel() for parameter in module.parameters())
        for entry, module in network.named_children()
    }
    assert counts == description(shared, name)["parameters"]


def multiplications(network: nn.Module, run: Callable[[], object]) -> dict[str, int]:
    """Multiply-accumulate operations of convolutions and linear layers during ``run``, by name."""
    counts: dict[str, int] = {}

    def hook_for(name: str) -> Any:
        def hook(module: Any, _inputs: Any, output: Any) -> None:
            counts[name] = output.numel() * module.weight[0].numel() + counts.get(name, 0)

        return hook

    layers = (nn.Conv2d, nn.Conv3d, nn.Linear)
    handles = [
        module.register_forward_hook(hook_for(name))
        for name, module in network.named_modules()
        if isinstance(module, layers)
    ]
    run()
    for handle in handles:
        handle.remove()
    return counts


@pytest.mark.parametrize(("name", "build"), NETWORKS)
def test_cost_of_one_analysis_and_one_picture(
    shared: Path, name: str, build: Callable[[], nn.Module]
) -> None:
    network = unallocated(build)

    def run() -> None:
        picture = torch.zeros(1, 3, 256, 256, device="meta")
        parameters = network.get_submodule("kp_detector")(picture)
        if isinstance(network, Fv2v):
            estimate = network.he_estimator(picture)
            parameters = Fv2vPose(
                torch.zeros(1, 3, 3, device="meta"), estimate.translation, estimate.expression
            ).keypoints(parameters)
        network.get_submodule("generator")(picture, parameters, parameters)

    expected = description(shared, name)["macs_conv_linear"]
    # The lists count a module without those below it that they name too.
    totals = dict.fromkeys(expected, 0)
    for layer, count in multiplications(network, run).items():
        owner = max((part for part in expected if layer.startswith(f"{part}.")), key=len)
        totals[owner] += count
    assert totals == expected
