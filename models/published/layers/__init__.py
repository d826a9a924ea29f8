"""Layers shared by the animation networks, each defined once.

Pictures are RGB, planar, float in 0..1 (8-bit value / 255) without mean subtraction.
"""

from __future__ import annotations

from models.published.layers.blocks import (
    REDUCTION_FACTOR,
    ChannelPyramid,
    DownBlock,
    DownBlock3d,
    GeneralisedDivisiveNormalisation,
    Reduction,
    ResidualBlock,
    SameBlock,
    UpBlock,
    UpBlock3d,
    check_picture,
    residual_blocks,
)
from models.published.layers.hourglass import FeatureWarpingGenerator, Hourglass, Hourglass3d
from models.published.layers.motion import (
    DenseMotion,
    blend_motions,
    coordinate_axis,
    coordinate_grid,
    enlarge_positions,
    expected_positions,
    heatmap_differences,
    motion_network_input,
    sample,
    sample_each,
    softmax_over_space,
    sparse_motions,
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
