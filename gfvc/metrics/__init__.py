"""Quality measures of clips, each defined once; docs/measures.md is their table.

Pictures are uint8 RGB [height, width, 3]. `ClipMeasure` gives all scores of a clip; functions for
one pair of pictures are in `models.metrics`.
"""

from __future__ import annotations

from gfvc.metrics.catalogue import MEASURES, PICTURE_MEASURES, Better, Measure
from gfvc.metrics.clip_measure import ClipMeasure, ClipScores, PictureScores
from gfvc.metrics.flicker import Flicker, FlickerMeasure
from gfvc.metrics.landmark_error import LandmarkError

__all__ = [
    "MEASURES",
    "PICTURE_MEASURES",
    "Better",
    "ClipMeasure",
    "ClipScores",
    "Flicker",
    "FlickerMeasure",
    "LandmarkError",
    "Measure",
    "PictureScores",
]
