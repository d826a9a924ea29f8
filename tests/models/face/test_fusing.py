"""Drawing from two references at once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from models.face import MOTION_SIDE
from models.face.blocks import FaceConfiguration
from models.face.motion import RefinedMotion
from models.face.network import FaceNetwork, Second
from tests.models.face.networks import trained_alike

FUSING = FaceConfiguration(
    channels=(6, 8, 10), motion_channels=4, bottleneck_blocks=1, fusing_channels=4
)
CERTAIN = 1e4


@dataclass
class Inputs:
    """Two references and a picture between them, random and smooth."""

    pictures: tuple[Tensor, Tensor]
    keys: tuple[Tensor, Tensor]
    landmarks: Tensor
    flows: tuple[Tensor, Tensor]


def inputs(size: int) -> Inputs:
    generator = torch.Generator().manual_seed(3)

    def smooth(channels: int, scale: float) -> Tensor:
        coarse = torch.rand(1, channels, 8, 8, generator=generator) * scale
        return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")

    def points() -> Tensor:
        return torch.rand(1, 478, 2, generator=generator) * 0.5 + 0.25

    pictures = smooth(3, 1).clamp(0, 1), smooth(3, 1).clamp(0, 1)
    return Inputs(
        pictures,
        (points(), points()),
        points(),
        (smooth(2, 0.1) - 0.05, smooth(2, 0.1) - 0.05),
    )


@pytest.fixture(scope="module")
def network() -> FaceNetwork:
    return trained_alike(FUSING)


def drawn(
    network: FaceNetwork,
    given: Inputs,
    lead: float | Tensor,
    rests: tuple[Tensor, Tensor] | None = None,
    swapped: bool = False,
) -> Tensor:
    """The picture drawn from both, with a lead of the second."""
    order = (1, 0) if swapped else (0, 1)
    with torch.inference_mode():
        keys = [network.encode_key(given.pictures[i], given.keys[i]) for i in order]
        first, second = (given.flows[i] for i in order)
        leads = torch.zeros(1, 1, MOTION_SIDE, MOTION_SIDE) + lead
        nothing = torch.zeros_like(first)
        other = Second(keys[1], second, rests or (nothing, nothing), leads)
        return network.draw(keys[0], given.landmarks, first, second=other).picture


def alone(network: FaceNetwork, given: Inputs, number: int) -> Tensor:
    """The picture drawn from one of the references."""
    with torch.inference_mode():
        key = network.encode_key(given.pictures[number], given.keys[number])
        return network.draw(key, given.landmarks, given.flows[number]).picture


def test_a_reference_that_is_left_out_leaves_no_trace(network: FaceNetwork) -> None:
    given = inputs(128)
    assert torch.allclose(drawn(network, given, -CERTAIN), alone(network, given, 0), atol=1e-5)
    assert torch.allclose(drawn(network, given, CERTAIN), alone(network, given, 1), atol=1e-5)
    assert not torch.allclose(alone(network, given, 0), alone(network, given, 1), atol=0.05)


def test_both_references_count_where_neither_leads(network: FaceNetwork) -> None:
    given = inputs(128)
    both = drawn(network, given, 0.0)
    for number in (0, 1):
        assert (both - alone(network, given, number)).abs().mean() > 0.01


def test_which_comes_first_does_not_matter_without_a_lead(network: FaceNetwork) -> None:
    # The corrections of an untrained network are 0, so that the two are averaged.
    given = inputs(128)
    picture, other = (drawn(network, given, 0.0, swapped=swapped) for swapped in (False, True))
    assert torch.allclose(picture, other, atol=1e-5)


def test_everything_follows_the_rest_motion(network: FaceNetwork) -> None:
    # A network that trusts no flow of the landmarks: only the rest motion moves what it draws.
    still = trained_alike(FUSING)
    torch.nn.init.zeros_(still.motion.out.weight)
    with torch.no_grad():
        assert still.motion.out.bias is not None
        still.motion.out.bias.copy_(torch.tensor([0.0, 0.0, -30.0, 2.0]))
    given = inputs(128)
    with torch.inference_mode():
        key = still.encode_key(given.pictures[0], given.keys[0])
        shift = torch.zeros(1, 2, 128, 128)
        shift[:, 0] = 16 / 128
        lead = torch.full((1, 1, MOTION_SIDE, MOTION_SIDE), -CERTAIN)
        moved, unmoved = (
            still.draw(
                key,
                given.landmarks,
                given.flows[0],
                second=Second(key, given.flows[0], (rest, rest), lead),
            ).warped
            for rest in (shift, torch.zeros_like(shift))
        )
    assert torch.allclose(moved[..., :96], unmoved[..., 16:112], atol=1e-4)


@pytest.mark.parametrize("size", [128, 160, 320, 512])
def test_the_motion_network_sees_64_rows_of_every_size(network: FaceNetwork, size: int) -> None:
    given = inputs(size)
    seen: list[RefinedMotion] = []
    hook = network.motion.register_forward_hook(lambda _, __, made: seen.append(made))
    try:
        picture = drawn(network, given, 0.0)
    finally:
        hook.remove()
    assert picture.shape == (1, 3, size, size)
    assert {motion.residual.shape[-1] for motion in seen} == {MOTION_SIDE}


def test_a_network_for_one_reference_refuses_two() -> None:
    given = inputs(64)
    network = trained_alike(FaceConfiguration(channels=(6, 8, 10), motion_channels=4))
    with pytest.raises(ValueError, match="draws from one reference"):
        drawn(network, given, 0.0)
