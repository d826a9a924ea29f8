"""Complex wavelet structural similarity (CW-SSIM).

Sampat et al., "Complex Wavelet Structural Similarity: A New Image Similarity Index", 2009, eq. 4:
for coefficients c of a window of a band

    (2 |Σ c1 conj(c2)| + K) / (Σ |c1|² + Σ |c2|² + K)

with the sums taken as means here. A small shift turns the phase of all coefficients alike, which
the absolute value forgives; lost or false detail is not forgiven.

Written down, for scores depend on it: luma 0..255; complex steerable pyramid (Portilla and
Simoncelli, "A Parametric Texture Model Based on Joint Statistics of Complex Wavelet Coefficients",
2000) of 4 scales and 8 orientations, bands of unit gain, each scale half the size of the last,
periodic at the borders, without the highpass and lowpass residuals; windows of 7×7 coefficients
within the band, all of them; K = (0.01 × 255)²; the mean over windows, then over the bands.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial, sqrt
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import Picture
from models.metrics.similarity import luma

SCALES = 4
ORIENTATIONS = 8
WINDOW = 7
K = (0.01 * 255) ** 2
MIN_SIDE = WINDOW << (SCALES - 1)

ComplexArray = npt.NDArray[np.complex64]


def cw_ssim(source: Picture, decoded: Picture) -> float:
    """CW-SSIM of two pictures, 0..1; raises `ValueError` for fewer than 56 pixels a side."""
    if min(source.shape[:2]) < MIN_SIDE:
        raise ValueError(f"CW-SSIM needs pictures of at least {MIN_SIDE} pixels a side")
    scores = [
        _band_similarity(one, other)
        for first, second in zip(_bands(source), _bands(decoded), strict=True)
        for one, other in zip(first, second, strict=True)
    ]
    return float(np.mean(scores))


def _band_similarity(first: ComplexArray, second: ComplexArray) -> float:
    product = first * np.conj(second)
    energy = np.abs(first) ** 2 + np.abs(second) ** 2
    planes = cv2.blur(np.dstack([product.real, product.imag, energy]), (WINDOW, WINDOW))
    edge = WINDOW // 2
    within = planes[edge:-edge, edge:-edge]
    shared = 2 * np.hypot(within[..., 0], within[..., 1])
    return float(((shared + K) / (within[..., 2] + K)).mean())


def _bands(picture: Picture) -> list[ComplexArray]:
    """Complex coefficients [ORIENTATIONS, height, width] of each scale, from fine to coarse."""
    from scipy import fft

    spectrum: Any = fft.fftshift(fft.fft2(luma(picture).astype(np.float32)))
    bands = []
    for masks, window in _filters(*spectrum.shape):
        part = fft.ifftshift(spectrum[window] * masks, axes=(1, 2))
        # The inverse transform divides by its own, smaller, number of samples.
        gain = part[0].size / spectrum.size
        bands.append(np.asarray(fft.ifft2(part) * gain, np.complex64))
    return bands


@lru_cache(maxsize=8)
def _filters(
    height: int, width: int
) -> tuple[tuple[npt.NDArray[np.float32], tuple[slice, slice]], ...]:
    """For each scale its masks [ORIENTATIONS, h, w] and the middle of the spectrum they filter.

    A scale holds the frequencies of one octave, its slopes half a cosine over the octaves to
    both sides; orientations are cosine powers over half the plane, which makes them complex.
    """
    vertical = np.fft.fftshift(np.fft.fftfreq(height))[:, None] * 2
    horizontal = np.fft.fftshift(np.fft.fftfreq(width))[None, :] * 2
    radius = np.hypot(vertical, horizontal)
    radius[height // 2, width // 2] = 1e-9
    octave = np.log2(radius)
    angle = np.arctan2(vertical, horizontal)
    power = ORIENTATIONS - 1
    # The squares of all orientations, both halves of the plane, then sum to 1; 2 for one half.
    gain = 2 * 2**power * factorial(power) / sqrt(ORIENTATIONS * factorial(2 * power))
    filters = []
    for scale in range(SCALES):
        rows, columns = _middle(height, scale), _middle(width, scale)
        octaves = octave[rows, columns] + scale + 1
        radial = np.where(np.abs(octaves) < 1, np.cos(np.pi / 2 * octaves), 0.0)
        masks = []
        for orientation in range(ORIENTATIONS):
            turned = angle[rows, columns] - np.pi * orientation / ORIENTATIONS
            facing = np.maximum(np.cos(turned), 0.0)
            masks.append(gain * radial * facing**power)
        filters.append((np.asarray(masks, np.float32), (rows, columns)))
    return tuple(filters)


def _middle(size: int, scale: int) -> slice:
    """The middle `size >> scale` of a shifted spectrum, its zero frequency in the middle too."""
    kept = size >> scale
    start = size // 2 - kept // 2
    return slice(start, start + kept)
