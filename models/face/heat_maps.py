"""Landmarks as pictures: how near each place is to a contour of the face."""

from __future__ import annotations

import torch
from torch import Tensor

from models.landmarks import points as groups

PARTS: tuple[tuple[int, ...], ...] = (
    groups.LIPS_OUTER,
    groups.LIPS_INNER,
    groups.RIGHT_EYE,
    groups.LEFT_EYE,
    (groups.RIGHT_IRIS[0], groups.LEFT_IRIS[0]),
    (*groups.RIGHT_BROW, *groups.LEFT_BROW),
    groups.NOSE,
    groups.FACE_OVAL,
)
DETAIL_PARTS = 5
"""How many of the first parts are lips, eyes and irises."""


def heat_maps(landmarks: Tensor, size: int, width: float, parts: int = len(PARTS)) -> Tensor:
    """Gaussians of the distance to the nearest landmark of each part.

    Args:
        landmarks: [B, 478, 2] in picture widths and heights, 0..1 inside the picture.
        size: height and width of the maps.
        width: standard deviation in picture widths.
        parts: how many of `PARTS` to draw.

    Returns:
        [B, parts, size, size], 0..1.
    """
    drawn = PARTS[:parts]
    points = landmarks[:, [point for part in drawn for point in part]]
    centres = (torch.arange(size, dtype=torch.float32, device=landmarks.device) + 0.5) / size
    # A Gaussian of the distance is the product of those along x and y: few exponentials.
    distances = centres[:, None] - points.transpose(1, 2)[:, :, None, :]
    along = torch.exp(distances**2 / (-2 * width * width))
    counts = [len(part) for part in drawn]
    # The points of a part come last, where their greatest value is found fastest.
    columns, rows = (torch.split(values, counts, dim=2) for values in along.unbind(dim=1))
    maps = [(y[:, :, None] * x[:, None]).amax(dim=3) for x, y in zip(columns, rows, strict=True)]
    return torch.stack(maps, dim=1)
