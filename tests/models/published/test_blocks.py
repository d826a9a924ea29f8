"""Blocks against their formulas, written out plainly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.published.layers.blocks import (
    ChannelPyramid,
    DownBlock,
    DownBlock3d,
    GeneralisedDivisiveNormalisation,
    Reduction,
    ResidualBlock,
    SameBlock,
    UpBlock,
    UpBlock3d,
    check_picture,
    residual_blocks,
)
from models.published.layers.hourglass import Hourglass, Hourglass3d
from tests.models.published.tiny import filled
from tools.parity.filling import filled_array


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def normalised(norm: Any, x: Tensor) -> Tensor:
    """Batch normalisation by its definition, with the stored statistics."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    scale = norm.weight / (norm.running_var + 1e-5).sqrt()
    result: Tensor = (x - norm.running_mean.view(shape)) * scale.view(shape) + norm.bias.view(shape)
    return result


def close(ours: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kernel", "slope"), [(3, 0.0), (7, 0.0), (3, 0.01)])
def test_same_block(kernel: int, slope: float) -> None:
    block = filled(SameBlock(2, 3, kernel, slope))
    x = noise(2, 2, 8, 10)
    hidden = normalised(
        block.norm, functional.conv2d(x, block.conv.weight, block.conv.bias, padding=kernel // 2)
    )
    assert (hidden < 0).any()
    close(block(x), torch.where(hidden > 0, hidden, slope * hidden))


def test_down_block_averages_after_the_activation() -> None:
    block = filled(DownBlock(2, 3))
    x = noise(2, 2, 8, 10)
    hidden = normalised(block.norm, block.conv(x)).clamp(min=0)
    corners = [hidden[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    close(block(x), torch.stack(corners).mean(dim=0))


def test_up_block_repeats_samples() -> None:
    block = filled(UpBlock(2, 3))
    x = noise(2, 2, 4, 5)
    enlarged = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    close(block(x), normalised(block.norm, block.conv(enlarged)).clamp(min=0))


def test_down_block_3d_keeps_the_depth() -> None:
    block = filled(DownBlock3d(2, 3))
    x = noise(2, 2, 5, 8, 10)
    full = functional.conv3d(x, block.conv.weight, block.conv.bias, padding=1)
    close(block(x), normalised(block.norm, full[..., ::2, ::2]).clamp(min=0))


def test_up_block_3d_interpolates_within_planes_only() -> None:
    block = filled(UpBlock3d(2, 3))
    x = noise(2, 2, 3, 4, 5)
    planes = [
        functional.interpolate(x[:, :, d], scale_factor=2, mode="bilinear", align_corners=False)
        for d in range(3)
    ]
    hidden = normalised(block.norm, block.conv(torch.stack(planes, dim=2)))
    close(block(x), hidden.clamp(min=0))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_residual_block_normalises_first_and_ends_with_the_sum(dimensions: int) -> None:
    block = filled(ResidualBlock(3, dimensions))
    x = noise(2, 3, *(6,) * dimensions)
    hidden = block.conv1(normalised(block.norm1, x).clamp(min=0))
    expected = x + block.conv2(normalised(block.norm2, hidden).clamp(min=0))
    close(block(x), expected)
    assert (expected < 0).any(), "no activation may follow the sum"


def test_residual_blocks_are_named_as_in_checkpoints() -> None:
    assert list(dict(residual_blocks(3, 4, "2dr").named_children())) == ["2dr0", "2dr1", "2dr2"]


def test_pyramid_doubles_up_to_its_limit() -> None:
    pyramid = ChannelPyramid(base=32, limit=200, levels=4)
    assert [pyramid.channels(level) for level in range(5)] == [32, 64, 128, 200, 200]
    assert pyramid.down_steps() == [(32, 64), (64, 128), (128, 200), (200, 200)]
    assert pyramid.up_steps() == [(200, 200), (200, 128), (128, 64), (64, 32)]


def test_hourglass_concatenates_upsampled_before_skip() -> None:
    hourglass = filled(Hourglass(ChannelPyramid(4, 16, 2), channels_in=3))
    x = noise(1, 3, 8, 8)
    half = hourglass.encoder.down_blocks[0](x)
    quarter = hourglass.encoder.down_blocks[1](half)
    up = torch.cat([hourglass.decoder.up_blocks[0](quarter), half], dim=1)
    expected = torch.cat([hourglass.decoder.up_blocks[1](up), x], dim=1)
    assert hourglass.channels_out == 7
    assert torch.equal(hourglass(x), expected)


def test_hourglass_3d_ends_with_a_convolution_over_everything() -> None:
    hourglass = filled(Hourglass3d(ChannelPyramid(4, 16, 1), channels_in=3))
    x = noise(1, 3, 4, 8, 8)
    half = hourglass.encoder.down_blocks[0](x)
    joined = torch.cat([hourglass.decoder.up_blocks[0](half), x], dim=1)
    hidden = normalised(hourglass.decoder.norm, hourglass.decoder.conv(joined))
    assert hourglass.channels_out == 7
    close(hourglass(x), hidden.clamp(min=0))


def test_reduction_keeps_every_fourth_sample_of_the_filtered_picture() -> None:
    reduction = Reduction()
    x = noise(1, 3, 20, 24)
    padded = functional.pad(x, (6, 6, 6, 6))
    kernel = reduction.weight[0, 0]
    for row, column in ((0, 0), (2, 3), (4, 5)):
        window = padded[0, 1, 4 * row : 4 * row + 13, 4 * column : 4 * column + 13]
        close(reduction(x)[0, 1, row, column], (window * kernel).sum())
    assert reduction(x).shape == (1, 3, 5, 6)


def test_reduction_kernel_is_the_one_that_checkpoints_carry() -> None:
    weight = Reduction().weight
    expected = torch.from_numpy(filled_array("kp_detector.down.weight", (3, 1, 13, 13), "float32"))
    torch.testing.assert_close(weight, expected, rtol=0, atol=1e-8)
    close(weight.sum(dim=(1, 2, 3)), torch.ones(3))


def test_gdn_divides_by_the_energy_of_all_channels() -> None:
    gdn = GeneralisedDivisiveNormalisation(2)
    with torch.no_grad():
        gdn.beta.copy_(torch.tensor([1.1, 0.7]))
        gdn.gamma.copy_(torch.tensor([[0.5, 0.2], [0.3, 0.6]]))
    x = noise(1, 2, 1, 1)
    a, b = x.flatten().tolist()
    first = a / (1.1**2 + 0.5**2 * a**2 + 0.2**2 * b**2) ** 0.5
    second = b / (0.7**2 + 0.3**2 * a**2 + 0.6**2 * b**2) ** 0.5
    close(gdn(x).flatten(), torch.tensor([first, second]))


def test_gdn_bounds_stored_parameters_from_below() -> None:
    gdn = GeneralisedDivisiveNormalisation(1)
    with torch.no_grad():
        gdn.beta.fill_(-3)
        gdn.gamma.fill_(-3)
    # beta is 1e-6 and gamma 0, whatever is stored below.
    assert gdn(torch.full((1, 1, 1, 1), 2.0)).item() == pytest.approx(2000, rel=1e-3)


def test_gdn_starts_as_documented_in_its_paper() -> None:
    gdn = GeneralisedDivisiveNormalisation(2)
    x = noise(1, 2, 1, 1)
    close(gdn(x), x / (1 + 0.1 * x**2).sqrt())


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 3, 8, 12), (1, 3, 12, 8)])
def test_check_picture_names_the_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"picture has shape \[.*want .* multiples of 8"):
        check_picture(torch.zeros(shape), 8)
    check_picture(torch.zeros(2, 3, 8, 16), 8)


def test_blocks_hold_only_named_parameters() -> None:
    names = {name for name, _ in nn.ModuleList([ResidualBlock(2)]).named_parameters()}
    kinds = [
        f"0.{layer}{i}.{p}"
        for layer in ("conv", "norm")
        for i in (1, 2)
        for p in ("weight", "bias")
    ]
    assert names == set(kinds)
