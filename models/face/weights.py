"""Weights files of the `face` network."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from models.errors import CheckpointError
from models.face.configuration import FaceConfiguration
from models.face.network import FaceNetwork


def load_face_network(path: Path) -> FaceNetwork:
    """Build the network of a safetensors file that training exported, for use on the CPU.

    Raises:
        CheckpointError: the file is missing, damaged or of another network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{path}: not a safetensors file that can be read ({reason})"
        ) from None
    try:
        values = json.loads(metadata["configuration"])
        configuration = FaceConfiguration(**{**values, "channels": tuple(values["channels"])})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: has no configuration of a face network ({error})") from None
    with torch.device("meta"):
        network = FaceNetwork(configuration)
    wanted = network.state_dict()
    if wrong := sorted(
        name
        for name in wanted.keys() | tensors.keys()
        if name not in wanted or name not in tensors or wanted[name].shape != tensors[name].shape
    ):
        raise CheckpointError(f"{path}: {wrong[0]} is missing, left over or of another shape")
    restored = {name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()}
    network.load_state_dict(restored, assign=True)
    return network.eval()
