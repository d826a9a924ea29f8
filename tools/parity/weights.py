"""Filling a network by name and loading it as a checkpoint would be."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from tools.parity.filling import filled_array
from tools.parity.pack import ParityPack, ParityPackError, Specification

Network = TypeVar("Network", bound=nn.Module)


def unallocated(build: Callable[[], Network]) -> Network:
    """Build a network without memory for its tensors; `load_weights` gives it some."""
    with torch.device("meta"):
        return build()


def specifications(network: nn.Module) -> dict[str, Specification]:
    """Shape and dtype of every entry of the state dictionary, in its order."""
    return {
        name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in network.state_dict().items()
    }


def check_specifications(network: nn.Module, pack: ParityPack) -> None:
    """Compare names, shapes and dtypes of the network with the pack's lists.

    Raises:
        ParityPackError: they differ; the message names the first differences.
    """
    ours, theirs = specifications(network), pack.tensors
    complaints = [
        *(f"missing in the network: {name}" for name in theirs.keys() - ours.keys()),
        *(f"unknown to the pack: {name}" for name in ours.keys() - theirs.keys()),
        *(
            f"{name}: {ours[name]} in the network, {theirs[name]} in the pack"
            for name in ours.keys() & theirs.keys()
            if ours[name] != theirs[name]
        ),
    ]
    if complaints:
        raise ParityPackError(
            f"{len(complaints)} tensors differ: {'; '.join(sorted(complaints)[:3])}"
        )


def filled_weights(
    network: nn.Module, salt: str = "", checksums: Mapping[str, int] | None = None
) -> dict[str, Tensor]:
    """State dictionary for ``network`` by the filling rule.

    Args:
        network: gives names, shapes and dtypes; may be on the meta device.
        salt: makes another set of weights.
        checksums: CRC-32 of every filled tensor; None checks nothing.

    Raises:
        ParityPackError: a checksum is absent or differs: another random stream, no wrong network.
    """
    weights = {}
    for name, (shape, dtype) in specifications(network).items():
        array = filled_array(name, shape, dtype, salt)
        if checksums is not None and zlib.crc32(array.tobytes()) != checksums.get(name):
            raise ParityPackError(f"{name}: CRC-32 of the filled tensor is not the pack's")
        weights[name] = torch.from_numpy(array)
    return weights


def load_weights(network: Network, weights: Mapping[str, Tensor]) -> Network:
    """Make ``weights`` the network's own, without a copy, and put it in evaluation mode.

    Raises:
        RuntimeError: names are missing or left over.
    """
    network.load_state_dict(weights, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def copies(
    build: Callable[[str, Collection[str]], Network],
    names: Collection[str],
    known: Collection[str],
    weights: Mapping[str, Tensor],
) -> Iterator[tuple[str, Network]]:
    """The networks of published copies that compute different things with the same weights.

    Args:
        build: of the network's family.
        names: what is asked for; those that are not `known` are left out.
        known: names of copies.
        weights: state dictionary.
    """
    for name in names:
        if name in known:
            yield name, load_weights(unallocated(partial(build, name, ())), weights)
