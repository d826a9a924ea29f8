"""Checks of what callers hand to a network."""

from __future__ import annotations

from torch import Tensor


def check_picture(picture: Tensor, multiple: int) -> None:
    """Raise ValueError unless ``picture`` is [B, 3, H, W], H and W multiples of ``multiple``."""
    shape = tuple(picture.shape)
    if len(shape) != 4 or shape[1] != 3 or shape[2] % multiple or shape[3] % multiple:
        raise ValueError(
            f"picture has shape {list(shape)}: "
            f"want [B, 3, H, W] with H and W multiples of {multiple}"
        )
