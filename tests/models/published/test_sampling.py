"""Coordinates, sampling and motion fields against plain loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.published.layers.motion import (
    blend_motions,
    coordinate_axis,
    coordinate_grid,
    enlarge_positions,
    expected_positions,
    heatmap_differences,
    motion_network_input,
    sample,
    sample_each,
    softmax_over_space,
    sparse_motions,
    warp_by_pixels,
)


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sample_at(source: Tensor, position: list[float], *, align_corners: bool) -> Tensor:
    """Linear interpolation of source [C, *size] at position x, y (, z), by its 2^D neighbours."""
    size = tuple(source.shape[1:])
    indices = [
        (p + 1) / 2 * (n - 1) if align_corners else ((p + 1) * n - 1) / 2
        for p, n in zip(reversed(position), size, strict=True)
    ]
    total = torch.zeros(source.shape[0])
    for corner in itertools.product((0, 1), repeat=len(size)):
        neighbour = [math.floor(i) + c for i, c in zip(indices, corner, strict=True)]
        if all(0 <= k < n for k, n in zip(neighbour, size, strict=True)):
            weight = math.prod(1 - abs(i - k) for i, k in zip(indices, neighbour, strict=True))
            samples = source.flatten(1)[:, np.ravel_multi_index(neighbour, size)]
            total = total + weight * samples
    return total


def test_grid_spans_minus_one_to_one_in_order_x_y_z() -> None:
    grid = coordinate_grid((2, 3, 5), like=torch.zeros(1))
    assert grid.shape == (2, 3, 5, 3)
    assert grid[0, 0, 0].tolist() == [-1, -1, -1]
    assert grid[1, 2, 4].tolist() == [1, 1, 1]
    assert grid[0, 1, 3].tolist() == [0.5, 0, -1]


@given(st.integers(2, 300))
def test_axis_is_symmetric_and_even(samples: int) -> None:
    axis = coordinate_axis(samples, like=torch.zeros(1, dtype=torch.float64))
    torch.testing.assert_close(axis, -axis.flip(0))
    torch.testing.assert_close(axis.diff(), torch.full_like(axis[1:], 2 / (samples - 1)))


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(4, 6), (3, 4, 6)])
def test_sample_interpolates_linearly_with_zeros_outside(
    size: tuple[int, ...], align_corners: bool
) -> None:
    source = noise(2, 3, *size)
    positions = noise(2, *size, len(size), seed=2)
    ours = sample(source, positions, align_corners=align_corners)
    assert positions.abs().max() > 1.2, "some positions must be outside"
    for batch in range(2):
        for where, position in enumerate(positions[batch].flatten(0, -2).tolist()):
            expected = sample_at(source[batch], position, align_corners=align_corners)
            torch.testing.assert_close(ours[batch].flatten(1)[:, where], expected)


@pytest.mark.parametrize("size", [(4, 6), (3, 4, 6)])
def test_sample_each_is_sample_for_each(size: tuple[int, ...]) -> None:
    source = noise(2, 3, *size)
    positions = noise(2, 5, *size, len(size), seed=2)
    expected = [sample(source, positions[:, k], align_corners=False) for k in range(5)]
    assert torch.equal(
        sample_each(source, positions, align_corners=False), torch.stack(expected, dim=1)
    )


def test_one_source_serves_a_batch_of_positions() -> None:
    source, positions = noise(1, 3, 4, 6), noise(3, 4, 6, 2, seed=2)
    repeated = sample(source.repeat(3, 1, 1, 1), positions, align_corners=True)
    assert torch.equal(sample(source, positions, align_corners=True), repeated)


def test_warp_by_pixels_moves_by_whole_samples() -> None:
    source = noise(1, 2, 5, 7)
    flow = torch.zeros(1, 5, 7, 2)
    flow[..., 0], flow[..., 1] = 2, -1
    moved = warp_by_pixels(source, flow, align_corners=True)
    torch.testing.assert_close(moved[:, :, 1:, :5], source[:, :, :4, 2:], rtol=0, atol=1e-5)
    assert moved[:, :, 0].abs().max() < 1e-5, "nothing above the first row"


def test_zero_flow_resamples_when_the_conventions_disagree() -> None:
    source, flow = torch.ones(1, 1, 4, 4), torch.zeros(1, 4, 4, 2)
    line = torch.tensor([0.5, 1, 1, 0.5])
    ours = warp_by_pixels(source, flow, align_corners=False)[0, 0]
    torch.testing.assert_close(ours, torch.outer(line, line))
    torch.testing.assert_close(warp_by_pixels(source, flow, align_corners=True), source)


def test_enlarged_positions_keep_their_values() -> None:
    positions = coordinate_grid((4, 4), like=torch.zeros(1))[None]
    enlarged = enlarge_positions(positions, (16, 8))
    assert enlarged.shape == (1, 16, 8, 2)
    # Outer edges coincide: outside the outermost centres the value is theirs.
    torch.testing.assert_close(enlarged[0, 0, 0], torch.tensor([-1.0, -1.0]))
    torch.testing.assert_close(
        enlarged[0, 2, :, 0], torch.tensor([-1, -5 / 6, -0.5, -1 / 6, 1 / 6, 0.5, 5 / 6, 1])
    )


@pytest.mark.parametrize("index", [(0, 0), (4, 2), (1, 6), (2, 3, 0), (0, 4, 6)])
def test_expected_position_of_a_point(index: tuple[int, ...]) -> None:
    size = (5, 7) if len(index) == 2 else (3, 5, 7)
    weights = torch.zeros(1, 1, *size)
    weights[(0, 0, *index)] = 1
    expected = [2 * i / (n - 1) - 1 for i, n in zip(reversed(index), reversed(size), strict=True)]
    torch.testing.assert_close(expected_positions(weights)[0, 0], torch.tensor(expected))


def test_soft_max_divides_by_the_temperature() -> None:
    logits = noise(1, 2, 3, 4)
    exponentials = (logits / 0.1).exp()
    expected = exponentials / exponentials.sum(dim=(2, 3), keepdim=True)
    torch.testing.assert_close(softmax_over_space(logits, 0.1), expected)


def test_soft_max_over_a_million_samples_sums_to_one() -> None:
    weights = softmax_over_space(noise(1, 1, 16, 256, 256), 1.0)
    assert weights.sum(dtype=torch.float64).item() == pytest.approx(1, abs=2e-6)


def test_heatmap_differences_are_driving_less_source_after_a_zero_map() -> None:
    source, driving = noise(1, 2, 2), noise(1, 2, 2, seed=2)
    ours = heatmap_differences(source, driving, (5, 6))
    grid = coordinate_grid((5, 6), like=source)
    assert ours.shape == (1, 3, 5, 6)
    assert not ours[:, 0].any()
    for k, row, column in itertools.product(range(2), (0, 3), (1, 5)):
        bumps = [
            math.exp(-0.5 * float(((grid[row, column] - points[0, k]) ** 2).sum()) / 0.01)
            for points in (driving, source)
        ]
        assert ours[0, k + 1, row, column].item() == pytest.approx(bumps[0] - bumps[1], abs=1e-6)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("with_matrices", [False, True])
def test_sparse_motions_are_affine_around_the_keypoints(
    dimensions: int, with_matrices: bool
) -> None:
    size = (4, 5, 6)[-dimensions:]
    source, driving = noise(2, 3, dimensions), noise(2, 3, dimensions, seed=2)
    matrices = noise(2, 3, dimensions, dimensions, seed=3) if with_matrices else None
    ours = sparse_motions(source, driving, size, matrices)
    grid = coordinate_grid(size, like=source)
    assert torch.equal(ours[:, 0], grid.expand(2, *grid.shape))
    where = (2,) * dimensions
    for batch, k in itertools.product(range(2), range(3)):
        matrix = torch.eye(dimensions) if matrices is None else matrices[batch, k]
        expected = matrix @ (grid[where] - driving[batch, k]) + source[batch, k]
        torch.testing.assert_close(ours[(batch, k + 1, *where)], expected)


def test_motion_network_input_interleaves() -> None:
    heatmaps, deformed = noise(2, 3, 4, 4), noise(2, 3, 2, 4, 4, seed=2)
    joined = motion_network_input(heatmaps, deformed)
    assert joined.shape == (2, 9, 4, 4)
    for k in range(3):
        assert torch.equal(joined[:, 3 * k], heatmaps[:, k])
        assert torch.equal(joined[:, 3 * k + 1 : 3 * k + 3], deformed[:, k])


def test_blend_weights_motions_by_the_mask() -> None:
    mask, motions = noise(2, 3, 4, 5).softmax(dim=1), noise(2, 3, 4, 5, 2, seed=2)
    expected = sum(mask[1, k, 3, 2] * motions[1, k, 3, 2] for k in range(3))
    torch.testing.assert_close(blend_motions(mask, motions)[1, 3, 2], expected)
