"""Synthetic clips of a face that moves, and a network of a few weights to train on them."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.landmarks import points as groups
from models.landmarks.face_space import HeadPose, shipped_face_space
from models.training import Augmentation, TrainingConfiguration
from models.training.augmentation import Pair
from models.training.footage import Footage
from models.training.run import train
from models.training.task import Batch, Outputs

PLAIN = Augmentation(crop=0, colour=0, flip=0, key_coding=0)


def draw_face(landmarks: npt.NDArray[np.float32], size: int, colour: int) -> npt.NDArray[np.uint8]:
    """A face in flat colours, each part where its landmarks are, before a background of waves."""
    y, x = np.mgrid[0:size, 0:size] / size
    waves = 110 + 60 * np.sin(9 * x + colour) * np.cos(7 * y)
    picture = np.repeat(waves[..., None], 3, axis=2).astype(np.uint8)
    parts = (
        (groups.FACE_OVAL, (190, 150, 90 + 20 * colour)),
        (groups.LIPS_OUTER, (250, 0, 250)),
        (groups.LIPS_INNER, (40, 10, 10)),
        (groups.RIGHT_EYE, (250, 250, 250)),
        (groups.LEFT_EYE, (250, 250, 250)),
        (groups.RIGHT_BROW, (60, 40, 20)),
        (groups.LEFT_BROW, (60, 40, 20)),
    )
    for part, shade in parts:
        points = np.round(landmarks[list(part), :2] * size).astype(np.int32)
        cv2.fillPoly(picture, [points], shade)
    return picture


def make_footage(name: str, pictures: int = 4, size: int = 64, colour: int = 0) -> Footage:
    """A clip of a head that turns and speaks."""
    space = shipped_face_space()
    landmarks = []
    for number in range(pictures):
        turn = np.array([0.02, 0.1, 0.05]) * np.sin(2.0 * number + colour)
        rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
        pose = HeadPose(rotation, 0.2, np.array([0.5 + 0.02 * np.cos(number), 0.5, 0.0]))
        expression = space.spread[:2] * np.sin(number + np.arange(2.0))
        landmarks.append(pose.apply(space.deform(space.mean, expression)).astype(np.float32))
    drawn = np.stack([draw_face(face, size, colour) for face in landmarks])
    return Footage(name, name, drawn, np.stack(landmarks))


def clips(pictures: int = 4, size: int = 64) -> dict[str, list[Footage]]:
    """Two people to learn from, a third one for validation."""
    return {
        "train": [make_footage(f"person{n}", pictures, size, n) for n in range(2)],
        "validation": [make_footage("person2", pictures, size, 2)],
    }


def configure(out: Path, **changes: Any) -> TrainingConfiguration:
    """A training of a few steps on small pictures, on the CPU."""
    configuration = TrainingConfiguration(
        data=out / "none",
        out=out,
        size=64,
        window=64,
        batch=2,
        steps=4,
        warm_up=2,
        device="cpu",
        half_precision=False,
        landmark_pictures=0,
        log_steps=1,
        discriminator_channels=4,
        augmentation=PLAIN,
    )
    return replace(configuration, **changes)


class Tint(nn.Module):
    """Adds a learned shade to the key picture, by a convolution that dropout disturbs."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, picture: Tensor) -> Tensor:
        shade = self.norm(self.convolution(picture))
        return picture + 0.1 * nn.functional.dropout(shade, 0.5, self.training)


@dataclass(frozen=True)
class TintTask:
    """Trains a `Tint`; draws random numbers while it does, as networks with noise do."""

    name: str = "tint"
    configuration: str = "plain"

    @property
    def loss_names(self) -> tuple[str, ...]:
        return ("size",)

    @property
    def codes_differences(self) -> bool:
        return False

    def check_size(self, size: int) -> None:
        pass

    def build_network(self) -> nn.Module:
        return Tint()

    def metadata(self) -> dict[str, str]:
        return {"configuration": self.configuration}

    def prepare(
        self, pair: Pair, random: np.random.Generator | None
    ) -> dict[str, npt.NDArray[np.float32]]:
        return {}

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        picture = network(batch.key)
        return Outputs(picture, batch.driven, losses={"size": 1e-3 * picture.square().mean()})


def weights_of(out: Path) -> dict[str, Tensor]:
    """Weights of the network and of its average in the state of a folder, by name."""
    state = torch.load(out / "state.pt", weights_only=True)
    return {
        f"{kind}.{name}": tensor
        for kind in ("network", "average", "discriminator")
        for name, tensor in state[kind].items()
    }


__all__ = ["PLAIN", "TintTask", "clips", "configure", "make_footage", "train", "weights_of"]


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
