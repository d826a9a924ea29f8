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
    """A measure of decoded pictures; `unit` is empty for a plain number.

    A clip's score is the mean over its pictures, but of a measure `of_clip`: its pictures have
    none of their own, and no rate is compared at equal values of it.
    """

    name: str
    title: str
    unit: str
    better: Better
    of_clip: bool = False

    def improves(self, new: float, old: float) -> bool:
        """Whether a value is better than another."""
        if self.better is Better.ONE:
            return abs(new - 1) < abs(old - 1)
        return new > old if self.better is Better.HIGHER else new < old


_ROWS = (
    Measure("landmark_error", "landmark error", "eye distances", Better.LOWER),
    Measure("lid_error", "lid opening error", "eye distances", Better.LOWER),
    Measure("lip_error", "lip opening error", "eye distances", Better.LOWER),
    Measure("lid_correlation", "lid opening correlation", "", Better.HIGHER, of_clip=True),
    Measure("lip_correlation", "lip opening correlation", "", Better.HIGHER, of_clip=True),
    Measure("psnr", "PSNR", "dB", Better.HIGHER),
    Measure("ssim", "SSIM", "", Better.HIGHER),
    Measure("ms_ssim", "MS-SSIM", "", Better.HIGHER),
    Measure("cw_ssim", "CW-SSIM", "", Better.HIGHER),
    Measure("face_ssim", "SSIM of the face", "", Better.HIGHER),
    Measure("mouth_ssim", "SSIM of the mouth", "", Better.HIGHER),
    Measure("sharpness", "sharpness over the key picture", "", Better.ONE),
    Measure("source_sharpness", "sharpness over the source", "", Better.ONE),
    Measure("flicker", "flicker", "levels of luma", Better.LOWER),
    Measure("still_flicker", "flicker over the source, still", "levels of luma", Better.LOWER),
    Measure("moving_flicker", "flicker over the source, moving", "levels of luma", Better.LOWER),
    Measure("seam", "seam of the face square", "", Better.ONE, of_clip=True),
    Measure("vmaf", "VMAF", "", Better.HIGHER),
    Measure("lpips", "LPIPS", "", Better.LOWER),
    Measure("dists", "DISTS", "", Better.LOWER),
)

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ROWS}
"""All measures, in the order in which tables show them."""

PICTURE_MEASURES = tuple(name for name, measure in MEASURES.items() if not measure.of_clip)
"""Names of those that pictures have."""
