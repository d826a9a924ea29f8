"""Sizes and conventions of FV2V."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from models.published.layers.blocks import ChannelPyramid


@dataclass(frozen=True)
class Fv2vConventions:
    """Choices in which published copies of FV2V differ although their weights have the same shapes.

    The defaults are those of the JVET software, version 2.

    Attributes:
        sparse_sampling_align_corners: for sampling the compressed volume with the sparse motions:
            ±1 is the centre of a border sample (True) or its outer edge (False).
        feature_warp_align_corners: the same for warping the feature volume with the deformation.
    """

    sparse_sampling_align_corners: bool = False
    feature_warp_align_corners: bool = False


FV2V_CONVENTIONS: Mapping[str, Fv2vConventions] = MappingProxyType(
    {
        # JVET software, version 2, latest.
        "jvet_v2": Fv2vConventions(),
        # JVET software, first release: the same.
        "jvet_v1": Fv2vConventions(),
        # Another copy derived from JVET's.
        "goluck": Fv2vConventions(
            sparse_sampling_align_corners=True, feature_warp_align_corners=True
        ),
    }
)
"""Conventions of the published copies by name."""


@dataclass(frozen=True)
class Fv2vConfiguration:
    """Sizes of FV2V; the defaults are those of the public checkpoints for 256×256.

    Attributes:
        keypoints: number of keypoints K.
        depth: samples along z of every volume.
        temperature: divisor of the keypoint logits before their soft-max.
        detector: channels of the canonical keypoint detector.
        detector_reduces_picture: the detector works on a quarter of the resolution. Such a
            checkpoint has an entry ``down.weight`` in its ``kp_detector``.
        estimator_channels: channels of the pose estimator's first convolution; its stages have 4,
            8, 16 and 32 times as many.
        angle_bins: classes of each angle of the pose.
        generator: channels of the generator; two levels bring it to the motion's resolution.
        volume_channels: channels of the feature volume.
        residual_blocks: residual blocks of the generator, before the warp in three and after it in
            two dimensions.
        motion: channels of the dense motion network's hourglass.
        compressed_channels: channels of the volume that the dense motion network samples.
        conventions: which published copy to follow.
    """

    keypoints: int = 15
    depth: int = 16
    temperature: float = 0.1
    detector: ChannelPyramid = field(default=ChannelPyramid(base=32, limit=1024, levels=5))
    detector_reduces_picture: bool = False
    estimator_channels: int = 64
    angle_bins: int = 66
    generator: ChannelPyramid = field(default=ChannelPyramid(base=64, limit=512, levels=2))
    volume_channels: int = 32
    residual_blocks: int = 6
    motion: ChannelPyramid = field(default=ChannelPyramid(base=32, limit=1024, levels=5))
    compressed_channels: int = 4
    conventions: Fv2vConventions = field(default_factory=Fv2vConventions)
