"""Layers shared by the animation networks, each defined once.

Pictures are RGB, planar, float in 0..1 (8-bit value / 255) without mean subtraction.
"""

from __future__ import annotations

from models.layers.blocks import (
    DownBlock,
    DownBlock3d,
    ResidualBlock,
    SameBlock,
    UpBlock,
    UpBlock3d,
    residual_blocks,
)
from models.layers.checks import check_picture
from models.layers.feature_warping import FeatureWarpingGenerator
from models.layers.gdn import GeneralisedDivisiveNormalisation
from models.layers.hourglass import Hourglass, Hourglass3d
from models.layers.keypoint_motion import (
    DenseMotion,
    blend_motions,
    expected_positions,
    heatmap_differences,
    motion_network_input,
    softmax_over_space,
    sparse_motions,
)
from models.layers.pyramid import ChannelPyramid
from models.layers.reduction import REDUCTION_FACTOR, Reduction
from models.layers.sampling import (
    coordinate_axis,
    coordinate_grid,
    enlarge_positions,
    sample,
    sample_each,
    warp_by_pixels,
)

__all__ = [
    "REDUCTION_FACTOR",
    "ChannelPyramid",
    "DenseMotion",
    "DownBlock",
    "DownBlock3d",
    "FeatureWarpingGenerator",
    "GeneralisedDivisiveNormalisation",
    "Hourglass",
    "Hourglass3d",
    "Reduction",
    "ResidualBlock",
    "SameBlock",
    "UpBlock",
    "UpBlock3d",
    "blend_motions",
    "check_picture",
    "coordinate_axis",
    "coordinate_grid",
    "enlarge_positions",
    "expected_positions",
    "heatmap_differences",
    "motion_network_input",
    "residual_blocks",
    "sample",
    "sample_each",
    "softmax_over_space",
    "sparse_motions",
    "warp_by_pixels",
]
