"""Quality measures, each defined once; docs/measures.md is their table.

Pictures are uint8 RGB [height, width, 3]. `ClipMeasure` gives all scores of a clip; the functions
give one measure of one pair of pictures.
"""

from __future__ import annotations

from gfvc.metrics.catalogue import MEASURES, Better, Measure
from gfvc.metrics.clip_measure import ClipMeasure, ClipScores, PictureScores
from gfvc.metrics.flicker import FlickerMeasure
from gfvc.metrics.landmark_error import FACE_LOST_ERROR, LandmarkError, landmark_distance
from gfvc.metrics.regions import face_region, mouth_region
from gfvc.metrics.sharpness import laplacian_variance
from gfvc.metrics.similarity import Picture, luma, ms_ssim, psnr, ssim, ssim_map
from gfvc.metrics.wavelet_similarity import cw_ssim

__all__ = [
    "FACE_LOST_ERROR",
    "MEASURES",
    "Better",
    "ClipMeasure",
    "ClipScores",
    "FlickerMeasure",
    "LandmarkError",
    "Measure",
    "Picture",
    "PictureScores",
    "cw_ssim",
    "face_region",
    "landmark_distance",
    "laplacian_variance",
    "luma",
    "mouth_region",
    "ms_ssim",
    "psnr",
    "ssim",
    "ssim_map",
]
