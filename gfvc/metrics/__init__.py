"""Quality measures, each defined once; docs/measures.md is their table.

Pictures are uint8 RGB [height, width, 3]. `ClipMeasure` gives all scores of a clip; the functions
give one measure of one pair of pictures.
"""

from __future__ import annotations

from gfvc.metrics.catalogue import MEASURES, PICTURE_MEASURES, Better, Measure
from gfvc.metrics.clip_measure import ClipMeasure, ClipScores, PictureScores
from gfvc.metrics.flicker import Flicker, FlickerMeasure
from gfvc.metrics.landmark_error import LandmarkError
from models.contract import Picture
from models.metrics.face import FACE_LOST_ERROR, face_region, landmark_distance, mouth_region
from models.metrics.openings import (
    LEAST_MOTION,
    Openings,
    course_correlation,
    lid_error,
    lip_error,
    openings,
)
from models.metrics.similarity import laplacian_variance, luma, ms_ssim, psnr, ssim, ssim_map
from models.metrics.wavelet_similarity import cw_ssim

__all__ = [
    "FACE_LOST_ERROR",
    "LEAST_MOTION",
    "MEASURES",
    "PICTURE_MEASURES",
    "Better",
    "ClipMeasure",
    "ClipScores",
    "Flicker",
    "FlickerMeasure",
    "LandmarkError",
    "Measure",
    "Openings",
    "Picture",
    "PictureScores",
    "course_correlation",
    "cw_ssim",
    "face_region",
    "landmark_distance",
    "laplacian_variance",
    "lid_error",
    "lip_error",
    "luma",
    "mouth_region",
    "ms_ssim",
    "openings",
    "psnr",
    "ssim",
    "ssim_map",
]
