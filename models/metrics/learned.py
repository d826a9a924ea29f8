"""LPIPS and DISTS: distances of pictures that networks learned from human judgement.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018
(version 0.1 with AlexNet); Ding et al., "Image Quality Assessment: Unifying Structure and Texture
Similarity", 2020. Names and shapes of tensors are those of the published weights: of AlexNet and
VGG-16 as the vision library of torch has them (`features.0.weight`, …; their classifiers are left
out), of LPIPS `lin0.model.1.weight`, …, of DISTS `alpha` and `beta`.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import CheckpointError
from models.weights.reading import read_checkpoint
from models.weights.tensors import fit_tensors

_ALEXNET_CHANNELS = (64, 192, 384, 256, 256)
_VGG16_STAGES = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512),
                 (512, 512, 512, 512))  # fmt: skip
_DISTS_CHANNELS = 3 + sum(stage[-1] for stage in _VGG16_STAGES)


class Lpips(nn.Module):
    """LPIPS of two pictures [B, 3, H, W] in 0..1 of at least 64 a side: [B], 0 for equal ones."""

    offset: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
        )
        for index, channels in enumerate(_ALEXNET_CHANNELS):
            # The published module drops features in training, so the weights stand second.
            weights = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))
            self.add_module(f"lin{index}", nn.ModuleDict({"model": weights}))
        offset = torch.tensor([-0.030, -0.088, -0.188]).reshape(1, 3, 1, 1)
        deviation = torch.tensor([0.458, 0.448, 0.450]).reshape(1, 3, 1, 1)
        self.register_buffer("offset", offset, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Sum over layers of the weighted squared difference of unit feature vectors."""
        distance = first.new_zeros(len(first))
        pairs = zip(self._outputs(first), self._outputs(second), strict=True)
        for index, (one, other) in enumerate(pairs):
            difference = (_unit(one) - _unit(other)) ** 2
            layer = self.get_submodule(f"lin{index}.model.1")
            distance = distance + layer(difference).mean(dim=(1, 2, 3))
        return distance

    def _outputs(self, picture: Tensor) -> list[Tensor]:
        x = (2 * picture - 1 - self.offset) / self.deviation
        outputs = []
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                outputs.append(x)
        return outputs


def _unit(features: Tensor) -> Tensor:
    return features / (features.pow(2).sum(dim=1, keepdim=True).sqrt() + 1e-10)


class Dists(nn.Module):
    """DISTS of two pictures [B, 3, H, W] in 0..1: [B], 0 for equal ones."""

    mean: Tensor
    deviation: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for stage in _VGG16_STAGES:
            for before, after in pairwise(stage):
                layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
            # Stands for the pooling of the published network, which has no weights.
            layers.append(nn.Identity())
        self.features = nn.Sequential(*layers[:-1])
        shape = (1, _DISTS_CHANNELS, 1, 1)
        self.alpha = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.ones(shape))
        mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
        deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
        hann = torch.tensor([0.5, 1.0, 0.5])
        window = torch.outer(hann, hann) / 4
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)
        self.register_buffer("window", window, persistent=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """One minus the weighted likeness of means (texture) and of covariances (structure)."""
        pairs = zip(self._outputs(first), self._outputs(second), strict=True)
        by_layer = [_likeness(one, other) for one, other in pairs]
        texture = torch.cat([texture for texture, _ in by_layer], dim=1)
        structure = torch.cat([structure for _, structure in by_layer], dim=1)
        whole = self.alpha.sum() + self.beta.sum()
        likeness: Tensor = (self.alpha * texture + self.beta * structure).sum(dim=(1, 2, 3)) / whole
        return 1 - likeness

    def _outputs(self, picture: Tensor) -> list[Tensor]:
        x = (picture - self.mean) / self.deviation
        outputs = [picture]
        for layer in self.features:
            if isinstance(layer, nn.Identity):
                outputs.append(x)
                x = self._pooled(x)
            else:
                x = layer(x)
        return [*outputs, x]

    def _pooled(self, features: Tensor) -> Tensor:
        """Root of the Hann-weighted mean square, at half the size."""
        channels = features.shape[1]
        kernel = self.window.expand(channels, 1, 3, 3)
        squares = functional.conv2d(features**2, kernel, stride=2, padding=1, groups=channels)
        return (squares + 1e-12).sqrt()


def _likeness(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Likeness of means and of covariance of each channel, [B, C, 1, 1]."""
    places, small = (2, 3), 1e-6
    mean_a, mean_b = first.mean(places, keepdim=True), second.mean(places, keepdim=True)
    texture = (2 * mean_a * mean_b + small) / (mean_a**2 + mean_b**2 + small)
    variances = ((first - mean_a) ** 2 + (second - mean_b) ** 2).mean(places, keepdim=True)
    covariance = (first * second).mean(places, keepdim=True) - mean_a * mean_b
    return texture, (2 * covariance + small) / (variances + small)


def load_lpips(backbone: Path, weights: Path) -> Lpips:
    """LPIPS with the weights of AlexNet and of its own; CheckpointError when they do not fit."""
    network = Lpips()
    _fill(network, backbone, weights, [f"lin{index}" for index in range(len(_ALEXNET_CHANNELS))])
    return network


def load_dists(backbone: Path, weights: Path) -> Dists:
    """DISTS with the weights of VGG-16 and of its own; CheckpointError when they do not fit."""
    network = Dists()
    _fill(network, backbone, weights, ["alpha", "beta"])
    return network


def _fill(network: nn.Module, backbone: Path, weights: Path, entries: list[str]) -> None:
    tensors = {**read_checkpoint(backbone, ("features",)), **read_checkpoint(weights, entries)}
    try:
        network.load_state_dict(fit_tensors(tensors, network), strict=True)
    except CheckpointError as error:
        raise CheckpointError(f"{backbone}, {weights}: {error}") from None
    network.eval().requires_grad_(False)
