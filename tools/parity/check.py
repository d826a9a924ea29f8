"""The parity check of one network against one pack."""

from __future__ import annotations

from pathlib import Path

import torch

from models.family import FAMILIES, Family
from tools.parity.comparison import Comparison, compare
from tools.parity.filling import synthetic_pictures
from tools.parity.pack import Scenario, read_pack
from tools.parity.weights import check_specifications, filled_weights, unallocated


def checked_families() -> dict[str, Family]:
    """The families that can be checked, by name."""
    return {name: family for name, family in FAMILIES.items() if family.parity}


def check_parity(name: str, folder: Path, salt: str = "") -> list[Comparison]:
    """Compare our network ``name`` with the pack in ``folder``.

    Args:
        name: one of `checked_families`.
        folder: holds ``name.json`` and ``name.npz``.
        salt: with which the pack was made; the checksums in packs are those of the empty one.

    Raises:
        ParityPackError: the pack cannot be read, its tensor lists are not those of the network, or
            the filled tensors have other checksums.
    """
    family = checked_families()[name]
    build, observe = family.build, family.parity
    assert build is not None
    assert observe is not None
    pack = read_pack(folder, name)
    network = unallocated(lambda: build(family.variants[0] if family.variants else "", ()))
    check_specifications(network, pack)
    weights = filled_weights(network, salt, None if salt else pack.checksums)
    pictures = synthetic_pictures(salt)
    with torch.inference_mode():
        scenario = Scenario.from_golden(pack.golden)
        observations = observe(weights, torch.from_numpy(pictures) / 255, scenario)
    observations.add("images_u8", pictures)
    return compare(pack.golden, observations, listed=pack.listed)
