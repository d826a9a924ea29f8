from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from models.face.blocks import DoublingBlock, double
from models.face.polyphase import (
    PolyphaseConvolution,
    enlarge_to_polyphase,
    from_polyphase,
    polyphase_mean,
    to_polyphase,
)
from models.face.torch_rendering import fold


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


def test_phases_are_those_of_pixel_unshuffle() -> None:
    planes = torch.rand(2, 3, 8, 12)
    phases = to_polyphase(planes)
    assert torch.equal(phases.flatten(1, 2), functional.pixel_unshuffle(planes, 2))
    assert torch.equal(from_polyphase(phases), planes)


def test_the_mean_of_phases_is_that_of_pixels() -> None:
    planes = torch.rand(1, 2, 8, 8)
    torch.testing.assert_close(
        polyphase_mean(to_polyphase(planes)), functional.avg_pool2d(planes, 2)
    )


@pytest.mark.parametrize(("height", "size"), [(16, 64), (8, 16), (64, 256)])
def test_enlarging_to_phases_is_bilinear(height: int, size: int) -> None:
    planes = torch.rand(2, 3, height, height)
    wanted = functional.interpolate(planes, size=(size, size), mode="bilinear")
    torch.testing.assert_close(from_polyphase(enlarge_to_polyphase(planes, size)), wanted)


@pytest.mark.parametrize("bias", [True, False])
def test_a_phase_convolution_is_that_of_the_doubled_map(bias: bool) -> None:
    convolution = torch.nn.Conv2d(5 + 3, 7, 3, padding=1, bias=bias)
    low, full = torch.randn(2, 5, 4, 6), torch.randn(2, 3, 8, 12)
    wanted = convolution(torch.cat([double(low), full], dim=1))
    found = PolyphaseConvolution(convolution, 5)(low, full)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)


def test_weights_of_doubled_maps_keep_their_names() -> None:
    assert set(dict(DoublingBlock(5, 3, 7).named_parameters())) == {
        "conv.weight",
        "norm.weight",
        "norm.bias",
    }


def test_folding_leaves_less_to_multiply() -> None:
    block = DoublingBlock(5, 3, 7)
    network = torch.nn.Sequential(block)
    low, full = torch.randn(1, 5, 4, 4), torch.randn(1, 3, 8, 8)
    wanted = block.eval()(low, full)
    fold(network)  # type: ignore[arg-type]
    assert isinstance(block.conv, PolyphaseConvolution)
    torch.testing.assert_close(block(low, full), wanted, atol=1e-5, rtol=1e-5)
