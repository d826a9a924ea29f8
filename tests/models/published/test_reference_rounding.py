"""Canonical keypoints as the processor of the reference rounds them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.published.fv2v.network import Fv2v
from models.published.layers.motion import coordinate_grid
from tests.models.published.tiny import TINY_FV2V, filled, pictures, tiny_fv2v
from tools.parity.fv2v import _canonical_keypoints
from tools.parity.observations import recorded


def rounded_keypoints(network: Fv2v, picture: Tensor, lanes: int) -> NDArray[np.float64]:
    """Keypoints with soft-max denominators summed by a plain loop over single-precision lanes."""
    with recorded(network.kp_detector, ["kp"]) as seen:
        network.kp_detector(picture)
    logits = seen["kp"] / network.kp_detector.temperature
    grid = coordinate_grid(logits.shape[2:], like=logits).flatten(0, -2).double().numpy()
    found = []
    for keypoint in logits[0].flatten(1):
        terms = (keypoint - keypoint.max()).exp().numpy()
        sums = np.zeros(lanes, np.float32)
        for start in range(0, len(terms), lanes):
            sums += terms[start : start + lanes]
        found.append(terms.astype(np.float64) @ grid / sums.sum(dtype=np.float64))
    return np.array([found])


@pytest.mark.parametrize("lanes", [8, 16])
def test_lanes_of_the_reference_are_found(lanes: int) -> None:
    # A million samples in flat heat maps: many terms of like size show the rounding best.
    flat = replace(TINY_FV2V, keypoints=2, depth=16, temperature=0.3)
    network, picture = filled(Fv2v(flat)), pictures(256)[0]
    reference = rounded_keypoints(network, picture, lanes)
    ours = network.kp_detector(picture)
    found = _canonical_keypoints(network, picture, reference).numpy()
    error, unrounded = (np.abs(k - reference).max() for k in (found, ours.numpy()))
    assert error < 0.2 * unrounded


def test_an_exact_reference_leaves_the_network_s_own_keypoints() -> None:
    network, picture = tiny_fv2v(), pictures(128)[0]
    ours = network.kp_detector(picture)
    assert torch.equal(_canonical_keypoints(network, picture, ours.numpy()), ours)


def test_another_keypoint_is_not_excused() -> None:
    network, picture = tiny_fv2v(), pictures(128)[0]
    ours = network.kp_detector(picture)
    reference = ours.numpy() + np.float32(0.01)
    found = _canonical_keypoints(network, picture, reference).numpy()
    assert np.abs(found - reference).max() > 0.009
