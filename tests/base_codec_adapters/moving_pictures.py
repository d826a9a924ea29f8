"""Pictures in which something moves, made by rule."""

from __future__ import annotations

import cv2
import numpy as np

from base_codec_adapters import Picture420


def moving(count: int) -> list[Picture420]:
    """A disc on its way over a slope."""
    rows, columns = np.mgrid[0:64, 0:128]
    grey = np.full((32, 64), 128, np.uint8)
    pictures = []
    for time in range(count):
        disc = (rows - 32) ** 2 + (columns - 10 - 6 * time) ** 2 < 100
        pictures.append(Picture420(np.where(disc, 200, 40 + columns).astype(np.uint8), grey, grey))
    return pictures


def drifting(count: int) -> tuple[Picture420, ...]:
    """A cloudy texture that slides by, a sample a picture, under light that changes."""
    noise = np.random.default_rng(3).normal(0, 1, (96, 160 + count))
    blurred = cv2.GaussianBlur(noise, (0, 0), 2)
    field = 128 + 40 * blurred / blurred.std()
    grey = np.full((48, 80), 128, np.uint8)
    return tuple(
        Picture420(np.clip(field[:, i : i + 160] + i % 3, 16, 235).astype(np.uint8), grey, grey)
        for i in range(count)
    )
