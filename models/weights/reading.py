"""Reading a published checkpoint without running anything that is in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from models.errors import CheckpointError, first_line
from models.files import check_tensor_file, header_size
from models.weights.unpickling import MAX_CHECKPOINT, NotKept, unpickle

_LISTED = 5


def read_checkpoint(path: Path, entries: Collection[str]) -> dict[str, Tensor]:
    """Tensors of the entries of a checkpoint, by entry, dot, parameter name; a lone one by entry.

    The file is one of `torch.save` that holds a dictionary of state dictionaries, or one flat
    dictionary of such names, or a safetensors file of such names. Other entries (discriminator,
    states of optimisers, epoch) are left out, and so is a prefix `module.` of names.

    Raises:
        CheckpointError: the file cannot be read, is of another kind, is cut off, wants to run
            code, or lacks an entry.
    """
    content = _read_safetensors(path) if _is_safetensors(path) else unpickle(path, entries)
    tensors: dict[str, Tensor] = {}
    for key, value in content.items():
        key = str(key).removeprefix("module.")
        entry, _, rest = key.partition(".")
        if entry not in entries:
            continue
        named: Mapping[Any, object]
        if not rest and isinstance(value, Mapping):
            named = value
        elif rest or isinstance(value, Tensor):
            # Some entries are a tensor and no dictionary, as those of DISTS are.
            named = {rest: value}
        else:
            raise CheckpointError(
                f"{path}: {entry} is a {_kind(value)}, not a dictionary of parameters"
            )
        for parameter, tensor in named.items():
            name = f"{entry}.{str(parameter).removeprefix('module.')}".removesuffix(".")
            if not isinstance(tensor, Tensor):
                raise CheckpointError(f"{path}: {name} is a {_kind(tensor)}, not numbers")
            if name in tensors:
                raise CheckpointError(f"{path}: holds {name} twice, with and without 'module.'")
            tensors[name] = tensor
    found = {name.partition(".")[0] for name in tensors}
    if missing := [entry for entry in entries if entry not in found]:
        raise CheckpointError(
            f"{path}: has no entry {', '.join(missing)} with tensors (it has: "
            f"{_listing(content) or 'none'})"
        )
    return tensors


def _kind(value: object) -> str:
    return value.kind if isinstance(value, NotKept) else type(value).__name__


def _listing(content: Mapping[Any, Any]) -> str:
    names = list(dict.fromkeys(str(key).partition(".")[0][:40] for key in content))
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more if names else "nothing"


def _is_safetensors(path: Path) -> bool:
    """By content: a length of eight bytes, then a JSON object."""
    try:
        if path.is_dir():
            raise CheckpointError(f"{path}: is a folder; name the checkpoint file")
        if not path.is_file() and path.exists():
            raise CheckpointError(f"{path}: is not a regular file")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if not size:
        raise CheckpointError(f"{path}: is empty")
    if size > MAX_CHECKPOINT:
        raise CheckpointError(f"{path}: larger than {MAX_CHECKPOINT} bytes")
    length = header_size(head)
    return length is not None and length < 1 << 32


def _read_safetensors(path: Path) -> Mapping[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        check_tensor_file(path, MAX_CHECKPOINT)
        return load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        reason = first_line(error)[:120]
        raise CheckpointError(f"{path}: not a complete safetensors file ({reason})") from None
