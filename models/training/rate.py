"""What a compact feature costs in the stream, as a term of the loss."""

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


def rate_loss(steps: Tensor, precision: int) -> Tensor:
    """Bits a picture for steps [B, K]: the real number, with the gradient of a smooth one."""
    magnitude = steps.abs()
    smooth = 2 * torch.log2(1 + magnitude)
    real = element_bits(steps.detach(), precision)
    return (smooth + (real - smooth).detach()).sum(dim=1).mean()
