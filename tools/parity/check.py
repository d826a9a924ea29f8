"""The parity check of one network against one pack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.published.cfte.network import Cfte
from models.published.fomm.network import Fomm
from models.published.fv2v.network import Fv2v
from tools.parity import cfte, fomm, fv2v
from tools.parity.comparison import Comparison, compare
from tools.parity.filling import synthetic_pictures
from tools.parity.observations import Observations
from tools.parity.pack import Scenario, read_pack
from tools.parity.weights import check_specifications, filled_weights, unallocated


@dataclass(frozen=True)
class _Family:
    network: Callable[[], nn.Module]
    observe: Callable[[Mapping[str, Tensor], Tensor, Scenario], Observations]
    zero_flow: bool = False


_FAMILIES = {
    "fomm": _Family(Fomm, fomm.observe),
    "cfte": _Family(Cfte, cfte.observe, zero_flow=True),
    "fv2v": _Family(Fv2v, fv2v.observe),
}

NETWORK_NAMES = tuple(_FAMILIES)
"""Networks that can be checked."""


def check_parity(name: str, folder: Path, salt: str = "") -> list[Comparison]:
    """Compare our network ``name`` with the pack in ``folder``.

    Args:
        name: one of `NETWORK_NAMES`.
        folder: holds ``name.json`` and ``name.npz``.
        salt: with which the pack was made; the checksums in packs are those of the empty one.

    Raises:
        ParityPackError: the pack cannot be read, its tensor lists are not those of the network, or
            the filled tensors have other checksums.
    """
    family = _FAMILIES[name]
    pack = read_pack(folder, name)
    network = unallocated(family.network)
    check_specifications(network, pack)
    weights = filled_weights(network, salt, None if salt else pack.checksums)
    pictures = synthetic_pictures(salt)
    with torch.inference_mode():
        scenario = Scenario.from_golden(pack.golden)
        observations = family.observe(weights, torch.from_numpy(pictures) / 255, scenario)
    observations.add("images_u8", pictures)
    return compare(pack.golden, observations, listed=pack.listed, zero_flow=family.zero_flow)
