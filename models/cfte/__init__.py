"""Compact Feature Temporal Evolution: one 4×4 feature map, 16 numbers a picture."""

from __future__ import annotations

from models.cfte.configuration import CFTE_CONVENTIONS, CfteConfiguration, CfteConventions
from models.cfte.dense_motion import CfteDenseMotionNetwork, DenseFlow
from models.cfte.feature_extractor import (
    PICTURE_SIZE,
    CfteFeatureExtractor,
    check_picture_size,
)
from models.cfte.generator import CfteGenerator, CfteSource
from models.cfte.networks import Cfte

__all__ = [
    "CFTE_CONVENTIONS",
    "PICTURE_SIZE",
    "Cfte",
    "CfteConfiguration",
    "CfteConventions",
    "CfteDenseMotionNetwork",
    "CfteFeatureExtractor",
    "CfteGenerator",
    "CfteSource",
    "DenseFlow",
    "check_picture_size",
]
