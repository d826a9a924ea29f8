"""The measures by name: what they are called, in which unit, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Better(Enum):
    """Which values of a measure are better."""

    HIGHER = "higher"
    LOWER = "lower"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of decoded pictures; `unit` is empty for a plain number."""

    name: str
    title: str
    unit: str
    better: Better


_ROWS = (
    Measure("landmark_error", "landmark error", "eye distances", Better.LOWER),
    Measure("psnr", "PSNR", "dB", Better.HIGHER),
    Measure("ssim", "SSIM", "", Better.HIGHER),
    Measure("ms_ssim", "MS-SSIM", "", Better.HIGHER),
    Measure("cw_ssim", "CW-SSIM", "", Better.HIGHER),
    Measure("face_ssim", "SSIM of the face", "", Better.HIGHER),
    Measure("mouth_ssim", "SSIM of the mouth", "", Better.HIGHER),
    Measure("sharpness", "sharpness over the key picture", "", Better.ONE),
    Measure("flicker", "flicker", "levels of luma", Better.LOWER),
    Measure("vmaf", "VMAF", "", Better.HIGHER),
    Measure("lpips", "LPIPS", "", Better.LOWER),
    Measure("dists", "DISTS", "", Better.LOWER),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ROWS}
"""All measures, in the order in which tables show them."""
