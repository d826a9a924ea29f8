"""Terms of the loss that every animation network shares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from models.training.configuration import LossWeights
from models.training.quality import luma, ssim_maps
from models.training.task import Outputs

SHARED_LOSSES = ("l1", "gradient", "ssim")
PERCEPTUAL_LOSS = "perceptual"
ADVERSARIAL_LOSSES = ("adversarial", "features")
_SSIM_SCALES = 4


def weighted_l1(picture: Tensor, target: Tensor, importance: Tensor | None) -> Tensor:
    """Mean absolute difference, pixels weighted by importance [B, 1, H, W]."""
    difference = (picture - target).abs()
    return (difference if importance is None else difference * importance).mean()


def gradient_loss(picture: Tensor, target: Tensor, scales: int = 1) -> Tensor:
    """Mean absolute difference of the differences between neighbouring pixels.

    The mean over `scales` resolutions, the first that of the pictures, each other half the last.
    """
    error = picture - target
    total = torch.zeros((), device=picture.device)
    for scale in range(scales):
        if scale:
            error = functional.avg_pool2d(error, 2)
        total = total + (error[..., 1:] - error[..., :-1]).abs().mean()
        total = total + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return total / scales


def ssim_loss(picture: Tensor, target: Tensor) -> Tensor:
    """1 − SSIM of the luma with a 7×7 mean window, summed over four scales."""
    first, second = luma(picture), luma(target)
    total = torch.zeros((), device=picture.device)
    for _ in range(_SSIM_SCALES):
        total = total + 1 - ssim_maps(first, second, box=True)[0].mean()
        first, second = functional.avg_pool2d(first, 2), functional.avg_pool2d(second, 2)
    return total


def shared_losses(
    outputs: Outputs, weights: LossWeights, gradient_scales: int = 1
) -> dict[str, Tensor]:
    """The terms of `SHARED_LOSSES`, weighted."""
    picture, target = outputs.picture.float().contiguous(), outputs.target.contiguous()
    return {
        "l1": weights.l1 * weighted_l1(picture, target, outputs.importance),
        "gradient": weights.gradient * gradient_loss(picture, target, gradient_scales),
        "ssim": weights.ssim * ssim_loss(picture, target),
    }


def discriminator_loss(real: Tensor, drawn: Tensor) -> Tensor:
    """Hinge loss of verdicts (Lim and Ye, "Geometric GAN", 2017)."""
    return functional.relu(1 - real).mean() + functional.relu(1 + drawn).mean()


def feature_matching(drawn: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of the discriminator's features, summed over its layers."""
    terms = [(a.float() - b.float()).abs().mean() for a, b in zip(drawn, real, strict=True)]
    return torch.stack(terms).sum()
