"""Sizes and conventions of FOMM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from models.published.layers.blocks import ChannelPyramid


@dataclass(frozen=True)
class FommConventions:
    """Choices in which published copies of FOMM differ although their weights have the same shapes.

    The defaults are those of the JVET software, version 2.

    Attributes:
        sparse_sampling_align_corners: for sampling the reduced source with the sparse motions: ±1
            is the centre of a border sample (True) or its outer edge (False).
        feature_warp_align_corners: the same for warping the features with the deformation.
        use_jacobians: the sparse motions are affine (True) or translations only (False).
        use_heatmaps: the motion network sees the heat map differences (True) or zeros (False).
    """

    sparse_sampling_align_corners: bool = False
    feature_warp_align_corners: bool = True
    use_jacobians: bool = True
    use_heatmaps: bool = True


FOMM_CONVENTIONS: Mapping[str, FommConventions] = MappingProxyType(
    {
        # JVET software, version 2, latest.
        "jvet_v2": FommConventions(),
        # The original project run on PyTorch 1.3 or later.
        "official": FommConventions(feature_warp_align_corners=False),
        # The original project on the PyTorch it was trained with, before 1.3.
        "official_before_torch_1_3": FommConventions(sparse_sampling_align_corners=True),
        # JVET software, first release.
        "jvet_v1": FommConventions(
            feature_warp_align_corners=False, use_jacobians=False, use_heatmaps=False
        ),
        # Another copy derived from JVET's; version 2 had the same before its last change.
        "goluck": FommConventions(
            sparse_sampling_align_corners=True, use_jacobians=False, use_heatmaps=False
        ),
    }
)
"""Conventions of the published copies by name."""


@dataclass(frozen=True)
class FommConfiguration:
    """Sizes of FOMM; the defaults are those of the public checkpoints for 256×256.

    Attributes:
        keypoints: number of keypoints K.
        temperature: divisor of the keypoint logits before their soft-max.
        detector: channels of the keypoint detector's hourglass, at a quarter of the resolution.
        motion: channels of the dense motion network's hourglass, at a quarter of the resolution.
        generator: channels of the generator; two levels bring it to the motion's resolution.
        bottleneck_blocks: residual blocks of the generator.
        conventions: which published copy to follow.
    """

    keypoints: int = 10
    temperature: float = 0.1
    detector: ChannelPyramid = field(default=ChannelPyramid(base=32, limit=1024, levels=5))
    motion: ChannelPyramid = field(default=ChannelPyramid(base=64, limit=1024, levels=5))
    generator: ChannelPyramid = field(default=ChannelPyramid(base=64, limit=512, levels=2))
    bottleneck_blocks: int = 6
    conventions: FommConventions = field(default_factory=FommConventions)
