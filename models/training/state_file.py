"""The file that a training goes on from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from models.errors import CheckpointError, TrainingError
from models.files import written_whole
from models.weights.unpickling import unpickle

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
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(f"{path}: cannot be written ({reason})") from None


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
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(f"{path}: does not fit this training ({reason})") from None
