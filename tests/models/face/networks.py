"""A network of `face` for tests."""

from __future__ import annotations

import torch

from models.face.blocks import FaceConfiguration
from models.face.network import FaceNetwork


def trained_alike(configuration: FaceConfiguration | None = None) -> FaceNetwork:
    """As after training: its normalisations are not the identity, and its motion is not nothing."""
    torch.manual_seed(0)
    network = FaceNetwork(configuration or FaceConfiguration())
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    torch.nn.init.normal_(network.motion.out.weight, std=0.05)
    return network.eval()
