"""Sampling in terms that onnxruntime is fast at.

Its own GridSample works plane by plane and finds the place anew in each. Here whole rows of
channels are gathered, and for few channels a pixel's four neighbours as one row.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.nn import functional

_BILINEAR, _BORDER = 0, 1  # numbers of torch.grid_sampler
_FEW_CHANNELS = 8


def sample_by_gathering(source: Tensor, grid: Tensor, align_corners: bool) -> Tensor:
    """`grid_sample`, bilinear, border repeated, of a batch of 1.

    Args:
        source: [1, C, H, W], H and W 2 or more.
        grid: [1, h, w, 2], x and y, -1..1 inside.
        align_corners: as of `grid_sample`.

    Returns:
        [1, C, h, w].
    """
    height, width = source.shape[2:]
    return sample_rows(sampling_rows(source), height, width, grid, align_corners)


def sampling_rows(source: Tensor) -> Tensor:
    """A picture [1, C, H, W] as `sample_rows` wants it; once, when it is sampled often.

    Rows [H · W, C] of channels, or for few channels [H · W, 4, C]: those of a pixel, its right
    neighbour, and the two below. Few channels may be of 8 bits.
    """
    _, channels, height, width = source.shape
    planes = source.reshape(channels, height * width)
    if channels > _FEW_CHANNELS:
        return planes.t()
    longer = functional.pad(planes, (0, width + 1))
    shifted = [longer[:, step : step + height * width] for step in (0, 1, width, width + 1)]
    return torch.stack(shifted).permute(2, 0, 1)


def sample_rows(rows: Tensor, height: int, width: int, grid: Tensor, align_corners: bool) -> Tensor:
    """`sample_by_gathering` of the rows of a picture of `height` by `width` pixels."""
    left, across = _cells(grid[0, ..., 0].reshape(-1), width, align_corners)
    top, down = _cells(grid[0, ..., 1].reshape(-1), height, align_corners)
    places = (top * width + left).to(torch.int32)
    weights = [
        (1 - across) * (1 - down),
        across * (1 - down),
        (1 - across) * down,
        across * down,
    ]
    mixed: Tensor
    if rows.ndim == 3:
        corners = rows.index_select(0, places).permute(1, 2, 0).to(grid.dtype)
        first, second, third, fourth = corners * torch.stack(weights)[:, None]
        mixed = first + second + third + fourth
    else:
        steps = (0, 1, width, width + 1)
        first, second, third, fourth = (
            rows.index_select(0, places + step) * weight[:, None]
            for step, weight in zip(steps, weights, strict=True)
        )
        mixed = (first + second + third + fourth).t()
    return mixed.reshape(1, -1, *grid.shape[1:3])


def _cells(values: Tensor, size: int, align_corners: bool) -> tuple[Tensor, Tensor]:
    """First of the two samples around each coordinate, and how far it lies behind it, 0..1."""
    scale, offset = ((size - 1) / 2, 0.0) if align_corners else (size / 2, 0.5)
    position = ((values + 1) * scale - offset).clamp(0, size - 1)
    first = position.floor().clamp(max=size - 2)
    return first, position - first


def _decomposition(
    source: Tensor, grid: Tensor, interpolation: int, padding: int, align_corners: bool
) -> Tensor:
    if source.ndim != 4 or len(source) != 1 or (interpolation, padding) != (_BILINEAR, _BORDER):
        return cast(Tensor, NotImplemented)  # what torch expects of who declines
    return sample_by_gathering(source, grid, align_corners)


def replace_sampling(program: ExportedProgram) -> ExportedProgram:
    """Sample by gathering wherever a program samples one picture bilinearly with its border."""
    replaced: ExportedProgram = program.run_decompositions(
        {torch.ops.aten.grid_sampler.default: _decomposition}
    )
    return replaced
