"""Face vid2vid: 3-D keypoints from head pose and expression, 57 numbers a picture."""

from __future__ import annotations

from models.fv2v.configuration import FV2V_CONVENTIONS, Fv2vConfiguration, Fv2vConventions
from models.fv2v.dense_motion import Fv2vDenseMotionNetwork
from models.fv2v.generator import Fv2vGenerator, Fv2vSource
from models.fv2v.keypoint_detector import Fv2vKeypointDetector
from models.fv2v.networks import Fv2v
from models.fv2v.pose import (
    DEGREES_PER_BIN,
    LOWEST_ANGLE,
    RESEARCH_PI,
    Fv2vPose,
    angle_degrees,
    rotation_matrix,
)
from models.fv2v.pose_estimator import Fv2vEstimate, Fv2vPoseEstimator

__all__ = [
    "DEGREES_PER_BIN",
    "FV2V_CONVENTIONS",
    "LOWEST_ANGLE",
    "RESEARCH_PI",
    "Fv2v",
    "Fv2vConfiguration",
    "Fv2vConventions",
    "Fv2vDenseMotionNetwork",
    "Fv2vEstimate",
    "Fv2vGenerator",
    "Fv2vKeypointDetector",
    "Fv2vPose",
    "Fv2vPoseEstimator",
    "Fv2vSource",
    "angle_degrees",
    "rotation_matrix",
]
