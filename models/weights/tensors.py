"""Comparing the tensors of a file with those of a network, and hashing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.errors import CheckpointError

_LISTED = 2


def fit_tensors(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The tensors in the order and with the dtypes of a network (it may be on the meta device).

    Floating-point tensors of another precision are converted.

    Raises:
        CheckpointError: names are missing or left over, shapes or kinds of numbers differ, or
            values are not finite; the text lists the first of each.
    """
    wanted = network.state_dict()
    shared = [name for name in wanted if name in tensors]
    complaints = [
        ("missing", [name for name in wanted if name not in tensors]),
        ("left over", [name for name in tensors if name not in wanted]),
        (
            "of another shape",
            [
                f"{name} {list(tensors[name].shape)} instead of {list(wanted[name].shape)}"
                for name in shared
                if tensors[name].shape != wanted[name].shape
            ],
        ),
        (
            "of another kind",
            [
                f"{name} {tensors[name].dtype} instead of {wanted[name].dtype}"
                for name in shared
                if tensors[name].is_floating_point() != wanted[name].is_floating_point()
                or tensors[name].is_complex()
            ],
        ),
    ]
    found = [f"{len(names)} {what}: {_listing(names)}" for what, names in complaints if names]
    if found:
        raise CheckpointError("; ".join(found))
    fitted = {
        name: tensors[name].detach().to("cpu", wanted[name].dtype).contiguous() for name in wanted
    }
    if broken := [name for name, tensor in fitted.items() if not tensor.isfinite().all()]:
        raise CheckpointError(f"{len(broken)} not finite: {_listing(broken)}")
    return fitted


def _listing(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def content_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Hash of names, dtypes, shapes and values, whatever file they are or were in."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
