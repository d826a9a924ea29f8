"""Weights for use: float16 safetensors with what is needed to build the network again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from models.errors import CheckpointError, TrainingError
from models.files import check_tensor_file, written_whole
from models.weights.reading import read_checkpoint
from models.weights.tensors import fit_tensors
from models.weights.unpickling import MAX_CHECKPOINT


def export_weights(network: nn.Module, metadata: Mapping[str, str], path: Path) -> None:
    """Write weights and buffers, floating-point ones as float16.

    Raises:
        TrainingError: a value does not fit float16, or the file cannot be written.
    """
    tensors = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    write_weights(tensors, metadata, path)


def write_weights(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str], path: Path
) -> None:
    """Write tensors as they are, and what the file says of itself.

    Raises:
        TrainingError: a value is not finite, or the file cannot be written.
    """
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            kind = str(tensor.dtype).removeprefix("torch.")
            raise TrainingError(f"{path}: {name} holds values that {kind} cannot")
    try:
        with written_whole(path) as temporary:
            save_file(dict(tensors), temporary, dict(metadata))
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: cannot be written ({error})") from None


def start_from_weights(network: nn.Module, metadata: Mapping[str, str], path: Path) -> None:
    """Give a network the weights of a file: one that training exported, or a published checkpoint.

    A file that names its configuration has to name that of `metadata`.

    Raises:
        TrainingError: the file is missing, unsafe, cut off, or of another network.
    """
    wanted = network.state_dict()
    entries = sorted({name.partition(".")[0] for name in wanted})
    try:
        network.load_state_dict(fit_tensors(read_checkpoint(path, entries), network), strict=True)
    except CheckpointError as error:
        text = str(error)
        where = "" if text.startswith(str(path)) else f"{path}: not weights of this network: "
        raise TrainingError(f"{where}{text}") from None
    named = _metadata(path).get("configuration")
    if named is not None and named != metadata.get("configuration"):
        raise TrainingError(f"{path}: weights of another configuration: {named}")


def _metadata(path: Path) -> Mapping[str, str]:
    """What a safetensors file says of itself; nothing for files of another kind."""
    try:
        check_tensor_file(path, MAX_CHECKPOINT)
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError, CheckpointError):
        return {}
