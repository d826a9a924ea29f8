"""What a drawn picture of the `face` network is judged by, beside `models.training.losses`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from models.landmarks import points as groups

PART_SIDE = 64
# Sides of the squares around mouth and eyes, in distances of the outer eye corners.
_MOUTH, _EYE = 1.0, 0.55


def parts(landmarks: Tensor) -> Tensor:
    """Sampling grids [3B, 64, 64, 2] of mouth, right and left eye, -1..1 in the picture."""
    corners = [groups.RIGHT_EYE_OUTER_CORNER, groups.LEFT_EYE_OUTER_CORNER]
    apart = landmarks[:, corners[1]] - landmarks[:, corners[0]]
    distance = apart.norm(dim=1).clamp(min=0.02)
    places = [
        (landmarks[:, list(points)].mean(dim=1), share * distance)
        for points, share in (
            (groups.LIPS_OUTER, _MOUTH),
            (groups.RIGHT_EYE, _EYE),
            (groups.LEFT_EYE, _EYE),
        )
    ]
    steps = (torch.arange(PART_SIDE, device=landmarks.device) + 0.5) / PART_SIDE - 0.5
    square = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    grids = [middle[:, None, None] + side[:, None, None, None] * square for middle, side in places]
    return torch.cat(grids) * 2 - 1


def cut_parts(pictures: Tensor, grids: Tensor) -> Tensor:
    """The parts of pictures [B, 3, S, S]: [3B, 3, 64, 64]."""
    thrice = pictures.float().repeat(3, 1, 1, 1)
    return functional.grid_sample(thrice, grids, padding_mode="border", align_corners=False)


def temporal_loss(picture: Tensor, target: Tensor) -> Tensor:
    """How differently drawn and real pictures change from row 2i to row 2i + 1."""
    changes = [pictures[1::2] - pictures[::2] for pictures in (picture, target)]
    return (changes[0] - changes[1]).abs().mean()
