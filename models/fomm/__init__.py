"""First Order Motion Model: keypoints with Jacobians, 60 numbers a picture."""

from __future__ import annotations

from models.fomm.configuration import FOMM_CONVENTIONS, FommConfiguration, FommConventions
from models.fomm.dense_motion import FommDenseMotionNetwork, inverse_2x2
from models.fomm.generator import FommGenerator, FommSource
from models.fomm.keypoint_detector import FommKeypointDetector, FommKeypoints
from models.fomm.networks import Fomm

__all__ = [
    "FOMM_CONVENTIONS",
    "Fomm",
    "FommConfiguration",
    "FommConventions",
    "FommDenseMotionNetwork",
    "FommGenerator",
    "FommKeypointDetector",
    "FommKeypoints",
    "FommSource",
    "inverse_2x2",
]
