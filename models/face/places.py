"""Places in a picture: planes of x and y in picture widths and heights, 0..1 inside."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

MOTION_STEP = 4
"""The motion network works on squares of this many pixels: 64 rows and columns for 256."""


def place_grid(size: int, like: Tensor) -> Tensor:
    """Centres of the cells of a square grid, [1, 2, size, size], of `like`'s device, float32."""
    centres = (torch.arange(size, dtype=torch.float32, device=like.device) + 0.5) / size
    x = centres.reshape(1, size).expand(size, size)
    return torch.stack([x, x.t()]).unsqueeze(0)


def read_at(source: Tensor, places: Tensor) -> Tensor:
    """Sample [B, C, H, W] linearly at places [B, 2, h, w]; the border repeats outside.

    In float32 always: bfloat16 places would miss by half a pixel.
    """
    with torch.autocast(source.device.type, enabled=False):
        grid = places.float().permute(0, 2, 3, 1) * 2 - 1
        return functional.grid_sample(
            source.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
        )


def enlarge(planes: Tensor, size: int) -> Tensor:
    """[B, C, h, w] to [B, C, size, size], bilinearly."""
    if planes.shape[-1] == size:
        return planes
    return functional.interpolate(planes, size=(size, size), mode="bilinear", align_corners=False)


def inside(places: Tensor) -> Tensor:
    """1 where places [B, 2, h, w] lie in the picture, falling to 0 over one cell: [B, 1, h, w]."""
    beyond = ((places - 0.5).abs() - 0.5).amax(dim=1, keepdim=True)
    return (1 - beyond.clamp(min=0) * places.shape[-1]).clamp(min=0)
