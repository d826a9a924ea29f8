"""Terms of the loss that animation networks share, and the discriminator that some of them need."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from models.metrics.similarity import LUMA_WEIGHTS
from models.training.configuration import LossWeights
from models.training.task import Outputs

SHARED_LOSSES = ("l1", "gradient", "ssim")
PERCEPTUAL_LOSS = "perceptual"
ADVERSARIAL_LOSSES = ("adversarial", "features")
_SSIM_SCALES = 4
_C1, _C2 = 0.01**2, 0.03**2


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


def luma(picture: Tensor) -> Tensor:
    """Luma [B, 1, H, W], contiguous, which windows run over much faster."""
    weights = picture.new_tensor(LUMA_WEIGHTS).reshape(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True).contiguous()


def _ssim_map(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of lumas [B, 1, H, W] in 0..1, in windows of 7×7 within the picture, all alike."""

    def mean(planes: Tensor) -> Tensor:
        return functional.avg_pool2d(planes, 7, stride=1)

    mean_a, mean_b = mean(first), mean(second)
    variance_a = mean(first * first) - mean_a * mean_a
    variance_b = mean(second * second) - mean_b * mean_b
    covariance = mean(first * second) - mean_a * mean_b
    structure = (2 * covariance + _C2) / (variance_a + variance_b + _C2)
    brightness = (2 * mean_a * mean_b + _C1) / (mean_a * mean_a + mean_b * mean_b + _C1)
    return brightness * structure


def ssim_loss(picture: Tensor, target: Tensor, shares: Tensor | None = None) -> Tensor:
    """1 − SSIM of the luma with a 7×7 mean window, summed over four scales.

    The mean over pictures, each counted as often as its share [B] says.
    """
    first, second = luma(picture), luma(target)
    total = torch.zeros((), device=picture.device)
    for _ in range(_SSIM_SCALES):
        far = 1 - _ssim_map(first, second).mean(dim=(1, 2, 3))
        total = total + (far if shares is None else far * shares).mean()
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
    """Hinge loss of logits (Lim and Ye, "Geometric GAN", 2017)."""
    return functional.relu(1 - real).mean() + functional.relu(1 + drawn).mean()


def feature_matching(drawn: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of the discriminator's features, summed over its layers."""
    terms = [(a.float() - b.float()).abs().mean() for a, b in zip(drawn, real, strict=True)]
    return torch.stack(terms).sum()


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


class PatchDiscriminator(nn.Module):
    """Three convolutions of stride 2 and a logit for each patch.

    Isola et al., "Image-to-image translation with conditional adversarial networks", 2017;
    Miyato et al., "Spectral normalization for generative adversarial networks", 2018.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        steps = ((3, channels), (channels, 2 * channels), (2 * channels, 4 * channels))
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, 2, 1)) for before, after in steps
        )
        self.verdict = spectral_norm(nn.Conv2d(4 * channels, 1, 3, padding=1))

    def forward(self, picture: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[B, 3, H, W] in 0..1 to logits [B, 1, H/8, W/8] (above 0: real) and layer outputs."""
        features = []
        for layer in self.layers:
            picture = functional.leaky_relu(layer(picture), 0.2)
            features.append(picture)
        return self.verdict(picture).float(), features
