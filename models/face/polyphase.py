"""Polyphase maps: one of twice the width as four, of even and odd rows and columns.

What is computed from a map of half the width is often the same for a whole phase, and then costs
a fraction of the work on all pixels. Phases are numbered row by row: pixel (2i + a, 2j + b) is
pixel (i, j) of phase 2a + b. The planes of all phases of a channel follow each other, as
`torch.pixel_unshuffle` has them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def to_polyphase(planes: Tensor) -> Tensor:
    """[B, C, 2H, 2W] to [B, C, 4, H, W]."""
    return torch.stack([planes[..., a::2, b::2] for a in (0, 1) for b in (0, 1)], dim=2)


def from_polyphase(phases: Tensor) -> Tensor:
    """[B, C, 4, H, W] to [B, C, 2H, 2W]."""
    return functional.pixel_shuffle(phases.flatten(1, 2), 2)


def polyphase_mean(phases: Tensor) -> Tensor:
    """[B, C, 4, H, W] to [B, C, H, W]: the mean of 2×2 pixels."""
    first, second, third, fourth = phases.unbind(dim=2)
    return (first + second + third + fourth) / 4


def enlarge_to_polyphase(planes: Tensor, size: int) -> Tensor:
    """[B, C, h, h], enlarged bilinearly to `size` rows and columns: [B, C, 4, size/2, size/2].

    Float32 always, as is the sampling grid that is made of it. Rows and columns are products with a
    matrix, whose rows may come in any order.
    """
    height = planes.shape[-1]
    with torch.autocast(planes.device.type, enabled=False):
        unit = torch.eye(height, device=planes.device).unsqueeze(0)
        # [size, h], a row of weights for each enlarged row.
        weights = functional.interpolate(unit, size=size, mode="linear", align_corners=False)[0].t()
        phases = torch.stack([weights[0::2], weights[1::2]])
        rows = phases[:, None] @ planes.float()[:, :, None, None]
        return (rows @ phases.transpose(1, 2)).flatten(2, 3)


class PolyphaseConvolution(nn.Module):
    """A 3×3 convolution of a doubled map beside others, without doubling it.

    In a map that was doubled by repetition, the 3×3 pixels around a pixel are 2×2 pixels of the
    map before. Which of the weights meet is the same for a whole phase: 4 multiplications where
    there were 9. All four phases are one convolution over the windows of 2×2 pixels.

        low ── conv 2×2 ── put in place ─┬─ +
        full ── conv 3×3 ────────────────┘

    The result is that of the convolution of concat(double(low), full), up to rounding.
    """

    def __init__(self, convolution: nn.Conv2d, channels_low: int) -> None:
        """Take the weights of a 3×3 convolution, padded by 1, whose first inputs are doubled."""
        super().__init__()
        weights = convolution.weight.detach()
        channels_out, channels_in = weights.shape[:2]
        # Sums over the rows that meet the same row of the window: [phase, O, C, 2, 3].
        low = weights[:, :channels_low]
        rows = torch.stack(
            [
                torch.stack([low[:, :, 0], low[:, :, 1] + low[:, :, 2]], dim=2),
                torch.stack([low[:, :, 0] + low[:, :, 1], low[:, :, 2]], dim=2),
            ]
        )
        windows = torch.stack(
            [
                torch.stack([rows[..., 0], rows[..., 1] + rows[..., 2]], dim=-1),
                torch.stack([rows[..., 0] + rows[..., 1], rows[..., 2]], dim=-1),
            ],
            dim=1,
        )
        self.low = nn.Conv2d(channels_low, 4 * channels_out, 2, padding=1, bias=False)
        self.low.weight = nn.Parameter(windows.flatten(0, 2).contiguous())
        self.full = nn.Conv2d(channels_in - channels_low, channels_out, 3, padding=1)
        self.full.weight = nn.Parameter(weights[:, channels_low:].contiguous())
        if convolution.bias is None:
            self.full.bias = None
        else:
            self.full.bias = nn.Parameter(convolution.bias.detach().clone())

    def forward(self, low: Tensor, full: Tensor) -> Tensor:
        """[B, channels_low, H, W] and [B, channels_full, 2H, 2W] to [B, channels_out, 2H, 2W]."""
        batch, _, height, width = low.shape
        # Windows of 2×2 pixels, one more than pixels along each side.
        windows = self.low(low).permute(0, 2, 3, 1)
        pixels = windows.reshape(batch, (height + 1) * (width + 1) * 4, -1)
        positions = _window_positions(height, width, low.device)
        doubled = pixels.index_select(1, positions).reshape(batch, 2 * height, 2 * width, -1)
        result: Tensor = self.full(full) + doubled.permute(0, 3, 1, 2)
        return result


def _window_positions(height: int, width: int, device: torch.device) -> Tensor:
    """For each pixel of the doubled map, where in [H + 1, W + 1, 4] its value is: [4HW]."""
    row = torch.arange(2 * height, device=device).unsqueeze(1)
    column = torch.arange(2 * width, device=device)
    # Pixel 2i + a of a row of windows: the window that starts at i - 1 + a.
    window = (row + 1) // 2 * (width + 1) + (column + 1) // 2
    return (window * 4 + row % 2 * 2 + column % 2).flatten()
