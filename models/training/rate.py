"""What coding does to values, and what a compact feature costs, in training."""

from __future__ import annotations

import torch
from torch import Tensor


def exp_golomb_bits(values: Tensor) -> Tensor:
    """Bits of ue(v) for whole numbers from 0 on (H.274, clause 9 as in H.266)."""
    # frexp is exact where a rounded logarithm is not: 1 + v = m · 2**e with 0.5 <= m < 1.
    exponent = torch.frexp(values.double() + 1).exponent
    return (2 * exponent - 1).to(torch.float32)


def element_bits(steps: Tensor, precision: int) -> Tensor:
    """Bits of each predicted matrix element of a generative face video message.

    A value of `steps` · 2**−precision is sent as whole part ue(v), fraction ue(v) and, unless
    it is 0, a sign.
    """
    magnitude = steps.abs().round()
    whole = torch.floor(magnitude / 2**precision)
    fraction = magnitude - whole * 2**precision
    return exp_golomb_bits(whole) + exp_golomb_bits(fraction) + (magnitude > 0).float()


def round_through(values: Tensor) -> Tensor:
    """Rounded values whose gradient is that of the values (Bengio et al., 2013)."""
    return values + (values.round() - values).detach()


def as_coded(values: Tensor, precision: int, *, training: bool) -> Tensor:
    """Values as a decoder gets them, in steps of 2**−precision.

    In training uniform noise of a step's width stands for rounding, since it lets gradients
    through unchanged (Ballé et al., "End-to-end optimized image compression", 2017).
    """
    step = 2.0**-precision
    if training:
        return values + step * (torch.rand_like(values) - 0.5)
    return step * (values / step).round()


def rate_loss(steps: Tensor, precision: int) -> Tensor:
    """Bits a picture for steps [B, K]: the real number, with the gradient of a smooth one."""
    magnitude = steps.abs()
    smooth = 2 * torch.log2(1 + magnitude)
    real = element_bits(steps.detach(), precision)
    return (smooth + (real - smooth).detach()).sum(dim=1).mean()
