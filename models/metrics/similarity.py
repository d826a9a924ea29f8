"""Likeness of two pictures, sample by sample, and detail of one. Luma is BT.709, full range."""

from __future__ import annotations

import cv2
import numpy as np

from models.contract import FloatArray, Picture
from models.metrics.face import Region

LUMA_WEIGHTS = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue, by BT.709."""

# Wang et al. 2003: the weight of each scale, from fine to coarse.
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW_WIDTH, _WINDOW_DEVIATION = 11, 1.5
_EDGE = _WINDOW_WIDTH // 2
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def luma(picture: Picture) -> FloatArray:
    """Luma float64 [height, width], 0..255."""
    weighted: FloatArray = picture @ np.array(LUMA_WEIGHTS)
    return weighted


def psnr(source: Picture, decoded: Picture) -> float:
    """Peak signal-to-noise ratio in dB over RGB, or over a plane; infinite for equal pictures."""
    return float("inf") if np.array_equal(source, decoded) else cv2.PSNR(source, decoded)


def ssim_map(source: Picture, decoded: Picture) -> FloatArray:
    """Structural similarity of luma at each pixel, [height, width], at most 1.

    Wang et al., "Image quality assessment: from error visibility to structural similarity",
    2004, with its Gaussian window of 11×11 (sigma 1.5); pictures are mirrored at their edges.
    """
    return _window_similarities(luma(source), luma(decoded))[0]


def ssim(source: Picture, decoded: Picture) -> float:
    """Mean structural similarity of luma over the picture."""
    return float(ssim_map(source, decoded).mean())


def ms_ssim(source: Picture, decoded: Picture) -> float:
    """Multi-scale structural similarity of luma, 0..1.

    Wang et al., "Multiscale structural similarity for image quality assessment", 2003: Gaussian
    windows of 11×11 samples that lie within the picture, five scales each half of the last (means
    of 2×2 samples), negative means of a scale taken as 0. A picture of fewer than 176 samples a
    side has fewer scales, whose weights are divided by their sum.
    """
    first, second = luma(source), luma(decoded)
    side = min(first.shape)
    scales = 1
    while scales < len(_SCALE_WEIGHTS) and side >> scales >= _WINDOW_WIDTH:
        scales += 1
    weights = np.array(_SCALE_WEIGHTS[:scales]) / sum(_SCALE_WEIGHTS[:scales])
    score = 1.0
    for scale, weight in enumerate(weights):
        whole, structure = (
            float(found[_EDGE:-_EDGE, _EDGE:-_EDGE].mean())
            for found in _window_similarities(first, second)
        )
        factor = whole if scale == scales - 1 else structure
        score *= max(factor, 0.0) ** float(weight)
        first, second = _halved(first), _halved(second)
    return score


def _window_similarities(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """SSIM of the window around each sample, and its contrast and structure factor."""
    mean_a, mean_b = _window_mean(first), _window_mean(second)
    variances = _window_mean(first * first + second * second) - mean_a**2 - mean_b**2
    covariance = _window_mean(first * second) - mean_a * mean_b
    structure = (2 * covariance + _C2) / (variances + _C2)
    brightness = (2 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return brightness * structure, structure


def _window_mean(plane: FloatArray) -> FloatArray:
    """Gaussian mean of the window around each sample; the plane is mirrored at its edges."""
    window = cv2.getGaussianKernel(_WINDOW_WIDTH, _WINDOW_DEVIATION, cv2.CV_64F)
    filtered = cv2.sepFilter2D(plane, cv2.CV_64F, window, window, borderType=cv2.BORDER_REFLECT)
    return np.asarray(filtered, np.float64)


def _halved(plane: FloatArray) -> FloatArray:
    """Means of 2×2 samples; a last odd row or column is left out."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    rows = plane[0:height:2, :width] + plane[1:height:2, :width]
    halved: FloatArray = (rows[:, 0::2] + rows[:, 1::2]) / 4
    return halved


_LAPLACIAN = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


def laplacian_variance(picture: Picture, region: Region) -> float:
    """Variance of the Laplacian (four neighbours) of luma, 0..255, over a region.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study",
    2000. Pixels at the picture's edge are taken to repeat outside.
    """
    edges = cv2.filter2D(luma(picture), cv2.CV_64F, _LAPLACIAN, borderType=cv2.BORDER_REPLICATE)
    return float(edges[region].var())
