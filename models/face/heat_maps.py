"""Landmarks as pictures: how near each place is to a contour of the face."""

from __future__ import annotations

import torch
from torch import Tensor

from models import landmarks as groups
from models.face.places import place_grid

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
    grid = place_grid(size, landmarks)
    x, y = grid[0, 0].reshape(1, -1, 1), grid[0, 1].reshape(1, -1, 1)
    maps = []
    for part in PARTS[:parts]:
        points = landmarks[:, list(part)]
        squared = (x - points[:, None, :, 0]) ** 2 + (y - points[:, None, :, 1]) ** 2
        nearest = squared.amin(dim=2)
        maps.append(torch.exp(nearest / (-2 * width * width)).reshape(-1, 1, size, size))
    return torch.cat(maps, dim=1)
