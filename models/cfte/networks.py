"""The networks of CFTE under the names of the public checkpoints."""

from __future__ import annotations

from torch import nn

from models.cfte.configuration import CfteConfiguration
from models.cfte.feature_extractor import CfteFeatureExtractor
from models.cfte.generator import CfteGenerator


class Cfte(nn.Module):
    """Container: ``state_dict`` names are checkpoint entry, dot, parameter name.

    Chen et al., Beyond Keypoint Coding: Temporal Evolution Inference with Compact Feature
    Representation for Talking Face Video Compression, DCC 2022.

        kp_detector   picture ──► feature 4×4             encoder, and decoder on key pictures
        generator     source, features ──► prediction     decoder
    """

    def __init__(self, configuration: CfteConfiguration | None = None) -> None:
        super().__init__()
        configuration = configuration or CfteConfiguration()
        self.kp_detector = CfteFeatureExtractor(configuration)
        self.generator = CfteGenerator(configuration)
