"""The networks of FV2V under the names of the public checkpoints."""

from __future__ import annotations

from torch import nn

from models.fv2v.configuration import Fv2vConfiguration
from models.fv2v.generator import Fv2vGenerator
from models.fv2v.keypoint_detector import Fv2vKeypointDetector
from models.fv2v.pose_estimator import Fv2vPoseEstimator


class Fv2v(nn.Module):
    """Container: ``state_dict`` names are checkpoint entry, dot, parameter name.

    Wang, Mallya, Liu, One-Shot Free-View Neural Talking-Head Synthesis for Video Conferencing,
    CVPR 2021, in the open re-implementation that the JVET software took up.

        kp_detector    picture ──► canonical keypoints      decoder, on key pictures
        he_estimator   picture ──► Fv2vEstimate             encoder, and decoder on key pictures
        generator      source, keypoints ──► prediction     decoder
    """

    def __init__(self, configuration: Fv2vConfiguration | None = None) -> None:
        super().__init__()
        configuration = configuration or Fv2vConfiguration()
        self.kp_detector = Fv2vKeypointDetector(configuration)
        self.he_estimator = Fv2vPoseEstimator(configuration)
        self.generator = Fv2vGenerator(configuration)
