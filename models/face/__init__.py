"""The `face` network: landmarks move a key picture, a small network paints what they cannot.

It has no weights yet and no card; `python -m models.training` trains it.
"""

from __future__ import annotations

from models.face.compact import CompactAnalysis
from models.face.configuration import MAX_COMPACT_FEATURES, FaceConfiguration
from models.face.heat_maps import DETAIL_PARTS, PARTS, heat_maps
from models.face.motion import Motion, MotionNetwork
from models.face.network import PICTURE_MULTIPLE, Drawing, FaceNetwork, KeyFeatures
from models.face.places import MOTION_STEP, coarse_flow

__all__ = [
    "DETAIL_PARTS",
    "MAX_COMPACT_FEATURES",
    "MOTION_STEP",
    "PARTS",
    "PICTURE_MULTIPLE",
    "CompactAnalysis",
    "Drawing",
    "FaceConfiguration",
    "FaceNetwork",
    "KeyFeatures",
    "Motion",
    "MotionNetwork",
    "coarse_flow",
    "heat_maps",
]
