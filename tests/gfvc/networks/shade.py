"""A network of 10 weights, added as docs/adding_a_model.md says: numbers are its steps.

It sends how bright the four quarters of a picture are, and shades the key picture by that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from models import Analysis, FaceParameters, MatrixShape, ModelCard, ParameterLayout
from models.contract import COMPACT_FEATURE
from models.family import Family, Recipe, TaskOptions, later
from models.published.model import Draw, NetworkModel, to_array
from models.published.training import AnimationTask
from models.training.losses import as_coded
from models.training.task import Batch
from tools.onnx_export.comparison import Comparison
from tools.onnx_export.graphs import export_steps, make_step, sample_pictures

SIZE = 256

# 1. The card.


def cards() -> tuple[ModelCard, ...]:
    card = ModelCard(
        name="shade",
        version="1",
        description="brightness of the four quarters",
        uri="test:shade:1",
        tag="tag:test",
        layout=ParameterLayout(
            matrices=(MatrixShape(COMPACT_FEATURE, 1, 2, 2),), matrix_precision=8
        ),
        engine="torch",
        training="",
        limits="Moves nothing.",
    )
    return (card,)


# 2. The network.


class Shade(nn.Module):
    """`analysis` [B, 3, 256, 256] to [B, 1, 2, 2]; `shading` [B, 1, 2, 2] to colours."""

    def __init__(self) -> None:
        super().__init__()
        self.analysis = nn.Sequential(nn.AvgPool2d(SIZE // 2), nn.Conv2d(3, 1, 1))
        self.shading = nn.Conv2d(1, 3, 1)
        for weights in self.parameters():
            nn.init.constant_(weights, 0.0 if weights.ndim == 1 else 1 / weights.shape[1])

    def draw(self, key: Tensor, key_shade: Tensor, shade: Tensor) -> Tensor:
        size = key.shape[-2:]
        change = nn.functional.interpolate(shade - key_shade, size=size, mode="bilinear")
        shaded: Tensor = key + self.shading(change)
        return shaded.clamp(0, 1)


def build(variant: str, names: Collection[str]) -> Shade:
    return Shade()


# 3. The model.


class ShadeModel(NetworkModel):
    _network: Shade

    def _describe(self, picture: Tensor, key: Analysis | None) -> Analysis:
        return Analysis(
            FaceParameters(matrices=((COMPACT_FEATURE, to_array(self._network.analysis(picture))),))
        )

    def _prepare(self, picture: Tensor, key: FaceParameters) -> Draw:
        key_shade = self.values(key.matrices[0][1])
        return lambda parameters: self._network.draw(
            picture, key_shade, self.values(parameters.matrices[0][1])
        )


# 4. The training task.


@dataclass(frozen=True)
class Configuration:
    pass


@dataclass(frozen=True)
class ShadeTask(AnimationTask):
    name = "shade"
    configuration: Configuration = field(default_factory=Configuration)

    @property
    def width_multiple(self) -> int:
        return SIZE

    def build_network(self) -> Shade:
        return Shade()

    def _draw(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, Shade)
        key, driven = (
            as_coded(network.analysis(picture), 8, training=network.training)
            for picture in (batch.key, batch.driven)
        )
        return network.draw(batch.key, key, driven), {}


def task(options: TaskOptions) -> ShadeTask:
    return ShadeTask()


# 5. The graphs.


def export(network: Shade, folder: Path, source: str) -> list[Comparison]:
    key, driven = sample_pictures(SIZE)
    analyse = make_step(
        "analyse", network, lambda x: (network.analysis(x),), {"picture": driven}, ["shade"]
    )
    with torch.no_grad():
        of_key = network.analysis(key)
    animate = make_step(
        "animate",
        network,
        lambda *inputs: (network.draw(*inputs),),
        {"key": key, "key_shade": of_key, "shade": analyse.expected[0]},
        ["prediction"],
    )
    return export_steps([analyse, animate], folder)


# 6. The row.

ROW = Family(
    "shade",
    cards,
    entries=("analysis", "shading"),
    variants=("plain",),
    build=build,
    wrap=ShadeModel,
    recipe=Recipe(later("tests.gfvc.networks.shade:task"), learning_rate=1e-3),
    onnx=later("tests.gfvc.networks.shade:export"),
)
