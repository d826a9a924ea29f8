"""The networks of FOMM under the names of the public checkpoints."""

from __future__ import annotations

from torch import nn

from models.fomm.configuration import FommConfiguration
from models.fomm.generator import FommGenerator
from models.fomm.keypoint_detector import FommKeypointDetector


class Fomm(nn.Module):
    """Container: ``state_dict`` names are checkpoint entry, dot, parameter name.

    Siarohin et al., First Order Motion Model for Image Animation, NeurIPS 2019.

        kp_detector   picture ──► FommKeypoints            encoder, and decoder on key pictures
        generator     source, keypoints ──► prediction     decoder
    """

    def __init__(self, configuration: FommConfiguration | None = None) -> None:
        super().__init__()
        configuration = configuration or FommConfiguration()
        self.kp_detector = FommKeypointDetector(configuration)
        self.generator = FommGenerator(configuration)
