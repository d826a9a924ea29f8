"""Weights for use: float16 safetensors with what is needed to build the network again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import nn


def export_weights(network: nn.Module, metadata: Mapping[str, str], path: Path) -> None:
    """Write weights and buffers, floating-point ones as float16."""
    tensors = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, dict(metadata))
    temporary.replace(path)
