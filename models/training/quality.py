"""Measures of drawn pictures, as tensors: PSNR, SSIM, MS-SSIM, sharpness.

Pictures are [B, 3, H, W] in 0..1. SSIM: Wang et al., "Image quality assessment: from error
visibility to structural similarity", 2004; MS-SSIM: Wang et al., "Multiscale structural similarity
for image quality assessment", 2003; both on luma (BT.709), data range 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.2126, 0.7152, 0.0722)
_C1, _C2 = 0.01**2, 0.03**2
_GAUSSIAN_WIDTH, _GAUSSIAN_DEVIATION = 11, 1.5
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def luma(picture: Tensor) -> Tensor:
    """Luma [B, 1, H, W], contiguous, which windows run over much faster."""
    weights = picture.new_tensor(_LUMA).reshape(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True).contiguous()


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB, [B]."""
    error = ((picture - target) ** 2).mean(dim=(1, 2, 3))
    return -10 * torch.log10(error.clamp(min=1e-10))


def _gaussian(planes: Tensor) -> Tensor:
    place = torch.arange(_GAUSSIAN_WIDTH, dtype=planes.dtype, device=planes.device)
    kernel = torch.exp((place - _GAUSSIAN_WIDTH // 2) ** 2 / (-2 * _GAUSSIAN_DEVIATION**2))
    kernel = kernel / kernel.sum()
    rows = functional.conv2d(planes, kernel.reshape(1, 1, 1, -1))
    return functional.conv2d(rows, kernel.reshape(1, 1, -1, 1))


def _box(planes: Tensor) -> Tensor:
    return functional.avg_pool2d(planes, 7, stride=1)


def ssim_maps(first: Tensor, second: Tensor, *, box: bool = False) -> tuple[Tensor, Tensor]:
    """SSIM, and its contrast and structure factor, of lumas [B, 1, H, W].

    The window is Gaussian (11×11, deviation 1.5), or with `box` a plain mean over 7×7, which
    costs less; no padding, so the maps are smaller by 10 or 6.
    """
    window = _box if box else _gaussian
    mean_a, mean_b = window(first), window(second)
    variance_a = window(first * first) - mean_a * mean_a
    variance_b = window(second * second) - mean_b * mean_b
    covariance = window(first * second) - mean_a * mean_b
    structure = (2 * covariance + _C2) / (variance_a + variance_b + _C2)
    brightness = (2 * mean_a * mean_b + _C1) / (mean_a * mean_a + mean_b * mean_b + _C1)
    return brightness * structure, structure


def ssim(picture: Tensor, target: Tensor) -> Tensor:
    """SSIM of each picture, [B]."""
    return ssim_maps(luma(picture), luma(target))[0].mean(dim=(1, 2, 3))


def ms_ssim(picture: Tensor, target: Tensor) -> Tensor:
    """MS-SSIM of each picture, [B]; of fewer scales where the picture is too small for five."""
    first, second = luma(picture), luma(target)
    scales = 1
    while scales < len(_SCALE_WEIGHTS) and first.shape[-1] >> scales >= _GAUSSIAN_WIDTH:
        scales += 1
    weights = torch.tensor(_SCALE_WEIGHTS[:scales])
    weights = weights / weights.sum()
    score = torch.ones(len(first), device=first.device)
    for scale in range(scales):
        whole, structure = ssim_maps(first, second)
        factor = whole if scale == scales - 1 else structure
        score = score * factor.mean(dim=(1, 2, 3)).clamp(min=0) ** float(weights[scale])
        first, second = functional.avg_pool2d(first, 2), functional.avg_pool2d(second, 2)
    return score


def sharpness(picture: Tensor) -> Tensor:
    """Variance of the Laplacian of the luma of each picture, [B]."""
    kernel = picture.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(luma(picture), kernel.reshape(1, 1, 3, 3))
    return edges.var(dim=(1, 2, 3), unbiased=False)
