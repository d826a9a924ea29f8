"""The files of a training: the state that it goes on from, and weights for use.

Weights for use are float16 safetensors with what is needed to build the network again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from models.errors import CheckpointError, TrainingError, first_line
from models.files import check_tensor_file, written_whole
from models.weights.reading import read_checkpoint
from models.weights.tensors import fit_tensors
from models.weights.unpickling import MAX_CHECKPOINT, unpickle

STATE_NAME = "state.pt"


def random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """States of PyTorch's generators; batches need none, being drawn from seed and step."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_states(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Put the generators where they were; a state of another kind of device is left alone."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state so that a crash leaves the old one or the new one, never half of it.

    Raises:
        TrainingError: the file cannot be written; an older one is as it was.
    """
    try:
        with written_whole(path, sync=True) as temporary:
            torch.save(state, temporary)
    # A full disk is a RuntimeError to PyTorch's writer.
    except (OSError, RuntimeError) as error:
        raise TrainingError(f"{path}: cannot be written ({first_line(error)})") from None


def read_state(path: Path, entries: Mapping[str, type]) -> dict[str, Any]:
    """Read a state without running anything that is in it.

    Args:
        path: of the file.
        entries: what is needed of it, with the types.

    Raises:
        TrainingError: the file is missing, damaged, or no state of a training.
    """
    try:
        state = unpickle(path)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no state to go on from") from None
    except (CheckpointError, OSError):
        raise TrainingError(
            f"{path}: damaged or no state of a training; delete it to start anew"
        ) from None
    wrong = [name for name, kind in entries.items() if type(state.get(name)) is not kind]
    if wrong:
        raise TrainingError(f"{path}: no state of a training (its {wrong[0]} is missing)")
    return state


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Raise `TrainingError` where the block finds that a state is not that of its networks."""
    try:
        yield
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: does not fit this training ({first_line(error)})") from None


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
