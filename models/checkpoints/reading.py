"""Reading a published checkpoint without running anything that is in it."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.errors import CheckpointError

MAX_CHECKPOINT = 4 << 30  # bytes; training checkpoints hold the optimisers' states too

_REFUSED = re.compile(r"GLOBAL ([\w.]+\.\w+)")
_LISTED = 5


def read_checkpoint(path: Path, entries: Collection[str]) -> dict[str, Tensor]:
    """Tensors of the entries of a checkpoint, by entry, dot, parameter name.

    The file is one of `torch.save` that holds a dictionary of state dictionaries, or one flat
    dictionary of such names, or a safetensors file of such names. Other entries (discriminator,
    states of optimisers, epoch) are left out, and so is a prefix `module.` of names.

    Raises:
        CheckpointError: the file cannot be read, is of another kind, is cut off, wants to run
            code, or lacks an entry.
    """
    content = _read_safetensors(path) if _is_safetensors(path) else _read_pickle(path)
    tensors: dict[str, Tensor] = {}
    for key, value in content.items():
        key = str(key).removeprefix("module.")
        entry, _, rest = key.partition(".")
        if entry not in entries:
            continue
        named = value if isinstance(value, Mapping) and not rest else {rest: value}
        for parameter, tensor in named.items():
            name = f"{entry}.{str(parameter).removeprefix('module.')}"
            if not isinstance(tensor, Tensor) or tensor.layout != torch.strided:
                raise CheckpointError(f"{path}: {name} is a {type(tensor).__name__}, not numbers")
            if name in tensors:
                raise CheckpointError(f"{path}: holds {name} twice, with and without 'module.'")
            tensors[name] = tensor
    found = {name.partition(".")[0] for name in tensors}
    if missing := [entry for entry in entries if entry not in found]:
        raise CheckpointError(
            f"{path}: has no entry {', '.join(missing)} (it has: {_listing(content)})"
        )
    return tensors


def _listing(content: Mapping[Any, Any]) -> str:
    names = list(dict.fromkeys(str(key).partition(".")[0][:40] for key in content))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more if names else "nothing"


def _is_safetensors(path: Path) -> bool:
    """By content: a length of eight bytes, then a JSON object."""
    try:
        if path.is_dir():
            raise CheckpointError(f"{path}: is a folder; name the checkpoint file")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if not size:
        raise CheckpointError(f"{path}: is empty")
    if size > MAX_CHECKPOINT:
        raise CheckpointError(f"{path}: larger than {MAX_CHECKPOINT} bytes")
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 1 << 27


def _read_safetensors(path: Path) -> Mapping[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: not a complete safetensors file ({_first_line(error)})"
        ) from None


def _read_pickle(path: Path) -> Mapping[Any, Any]:
    try:
        with warnings.catch_warnings():
            # Files of old or foreign writers are remarked upon; what matters is whether they load.
            warnings.simplefilter("ignore")
            content = torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    # Damaged bytes make the unpickler raise nearly anything, and none of it may end in a traceback.
    except Exception as error:
        refused = _REFUSED.search(str(error))
        if refused:
            raise CheckpointError(
                f"{path}: refused, because loading it would run {refused[1]}; weights need no "
                "code, and nothing was run"
            ) from None
        raise CheckpointError(
            f"{path}: cut off or not a checkpoint of torch.save ({_first_line(error)})"
        ) from None
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"{path}: holds a {type(content).__name__}, not a dictionary of networks"
        )
    return content


def _first_line(error: Exception) -> str:
    """What an error says, in a few words; its class where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # PyTorch begins with advice to load unsafely; what is wrong stands behind it.
    telling = [line for line in lines if "weights_only" not in line and "docs/stable" not in line]
    return (telling or [type(error).__name__])[0][:120]
