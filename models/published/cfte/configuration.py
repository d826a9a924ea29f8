"""Sizes and conventions of CFTE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from models.published.layers.blocks import ChannelPyramid


@dataclass(frozen=True)
class CfteConventions:
    """Choices in which published copies of CFTE differ although their weights have the same shapes.

    The defaults are those of the JVET software, version 2.

    Attributes:
        sparse_warp_align_corners: for the warp of the 4×4 motion features: ±1 is the centre of a
            border sample (True) or its outer edge (False).
        dense_warp_align_corners: the same for the warp of the generator's features.
    """

    sparse_warp_align_corners: bool = False
    dense_warp_align_corners: bool = False


CFTE_CONVENTIONS: Mapping[str, CfteConventions] = MappingProxyType(
    {
        # JVET software, version 2, latest.
        "jvet_v2": CfteConventions(),
        # JVET software, first release, and the authors' own on PyTorch 1.12: the same.
        "jvet_v1": CfteConventions(),
        # Another copy derived from JVET's.
        "goluck": CfteConventions(sparse_warp_align_corners=True, dense_warp_align_corners=True),
    }
)
"""Conventions of the published copies by name."""


@dataclass(frozen=True)
class CfteConfiguration:
    """Sizes of CFTE; the defaults are those of the public checkpoints.

    Pictures are 256×256: at any other size the compact feature would not be 4×4 and its optical
    flow not zero (see `CfteDenseMotionNetwork`).

    Attributes:
        detector: channels of the analysis hourglass, at a quarter of the resolution.
        motion: channels of the dense motion network, at a quarter of the resolution, both of its
            hourglass and of its picture branch; four levels end at 4×4.
        motion_bottleneck_blocks: residual blocks of its picture branch.
        generator: channels of the generator; two levels bring it to the motion's resolution.
        bottleneck_blocks: residual blocks of the generator.
        conventions: which published copy to follow.
    """

    detector: ChannelPyramid = field(default=ChannelPyramid(base=32, limit=1024, levels=5))
    motion: ChannelPyramid = field(default=ChannelPyramid(base=64, limit=512, levels=4))
    motion_bottleneck_blocks: int = 4
    generator: ChannelPyramid = field(default=ChannelPyramid(base=64, limit=512, levels=2))
    bottleneck_blocks: int = 6
    conventions: CfteConventions = field(default_factory=CfteConventions)
