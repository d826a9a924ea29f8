"""CFTE's networks: feature extractor, dense motion, generator."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.published.cfte.configuration import CFTE_CONVENTIONS, CfteConfiguration
from models.published.layers.blocks import (
    DownBlock,
    GeneralisedDivisiveNormalisation,
    Reduction,
    SameBlock,
    UpBlock,
    residual_blocks,
)
from models.published.layers.hourglass import FeatureWarpingGenerator, Hourglass
from models.published.layers.motion import enlarge_positions, warp_by_pixels

PICTURE_SIZE = 256
"""Width and height of the pictures that CFTE works on."""


def check_picture_size(picture: Tensor) -> None:
    """Raise ValueError unless ``picture`` is [B, 3, 256, 256]."""
    if picture.ndim != 4 or picture.shape[1:] != (3, PICTURE_SIZE, PICTURE_SIZE):
        raise ValueError(
            f"picture has shape {list(picture.shape)}: "
            f"want [B, 3, {PICTURE_SIZE}, {PICTURE_SIZE}], the only size of CFTE"
        )


class CfteFeatureExtractor(nn.Module):
    """Turns a picture into one compact 4×4 feature map.

        picture ── down ── predictor ── conv1 ── gdn1 ── … ── conv4 ── gdn4 ──► feature
         256²     (64²)   (hourglass)        32²     16²    8²           4²

    Every convolution is 5×5 with stride 2 and one output channel. The name of the checkpoint entry,
    ``kp_detector``, is a leftover of FOMM: there are no keypoints.
    """

    def __init__(self, configuration: CfteConfiguration) -> None:
        super().__init__()
        self.predictor = Hourglass(configuration.detector, 3)
        self.down = Reduction()
        self.conv1 = nn.Conv2d(self.predictor.channels_out, 1, 5, stride=2, padding=2)
        self.gdn1 = GeneralisedDivisiveNormalisation(1)
        self.conv2 = nn.Conv2d(1, 1, 5, stride=2, padding=2)
        self.gdn2 = GeneralisedDivisiveNormalisation(1)
        self.conv3 = nn.Conv2d(1, 1, 5, stride=2, padding=2)
        self.gdn3 = GeneralisedDivisiveNormalisation(1)
        self.conv4 = nn.Conv2d(1, 1, 5, stride=2, padding=2)
        self.gdn4 = GeneralisedDivisiveNormalisation(1)

    def forward(self, picture: Tensor) -> Tensor:
        """Pictures [B, 3, 256, 256] in 0..1 to features [B, 1, 4, 4].

        Raises:
            ValueError: the pictures have another size.
        """
        check_picture_size(picture)
        x = self.predictor(self.down(picture))
        x = self.gdn1(self.conv1(x))
        x = self.gdn2(self.conv2(x))
        x = self.gdn3(self.conv3(x))
        feature: Tensor = self.gdn4(self.conv4(x))
        return feature


@dataclass(frozen=True)
class DenseFlow:
    """Motion from every driving sample to the source.

    Attributes:
        flow: [B, 64, 64, 2] in samples of the 64×64 grid, order x, y.
        occlusion: [B, 1, 64, 64] 0 where the source shows nothing of use, 1 where all of it.
    """

    flow: Tensor
    occlusion: Tensor


class CfteDenseMotionNetwork(nn.Module):
    """Predicts a flow and an occlusion map from the change of the compact feature.

        source ── down ── first 7×7 ── motiondown_blocks ── warp by sparse flow ── bottleneck ─┐
         256²     64²                             4²                                           │
                                        motion picture 3×64² ◄── final 7×7 ── motionup_blocks ◄┘

        driving feature ── up_blocks ──(+)─┐
        source feature ─── up_blocks ──(−)─┴─ feature difference 1×64² ─┐
                                              motion picture 3×64² ─────┤
                                                                    hourglass
                                             flow ◄── flow 7×7 ─────────┤
                        occlusion ◄── sigmoid ◄── occlusion 7×7 ────────┘

    The research software computes the sparse flow with Farnebäck's optical flow between the two
    4×4 maps. There every sample lies in the border zone that the method weights down, and the flow
    comes out as zero (at most 0.002 of a sample). Here it is zero, and the motion picture depends
    on the source alone. The warp stays: its two coordinate conventions disagree, so it resamples
    even so.
    """

    def __init__(self, configuration: CfteConfiguration) -> None:
        super().__init__()
        pyramid = configuration.motion
        self.hourglass = Hourglass(pyramid, 1 + 3)
        self.flow = nn.Conv2d(self.hourglass.channels_out, 2, 7, padding=3)
        self.occlusion = nn.Conv2d(self.hourglass.channels_out, 1, 7, padding=3)
        self.down = Reduction()
        self.up_blocks = nn.Sequential(*(UpBlock(1, 1) for _ in range(pyramid.levels)))
        self.first = SameBlock(3, pyramid.base, kernel=7)
        self.motiondown_blocks = nn.Sequential(*(DownBlock(*step) for step in pyramid.down_steps()))
        self.motionup_blocks = nn.Sequential(*(UpBlock(*step) for step in pyramid.up_steps()))
        self.bottleneck = residual_blocks(
            configuration.motion_bottleneck_blocks, pyramid.channels(pyramid.levels), "r"
        )
        self.final = nn.Conv2d(pyramid.base, 3, 7, padding=3)
        self.conventions = configuration.conventions

    def sparse_flow(self, features: Tensor) -> Tensor:
        """Flow [B, 4, 4, 2] for motion features [B, C, 4, 4]: zero, see the class."""
        return features.new_zeros(features.shape[0], *features.shape[2:], 2)

    def encode_source(self, source: Tensor) -> Tensor:
        """Source picture [B, 3, 256, 256] in 0..1 to the motion picture [B, 3, 64, 64]."""
        features = self.motiondown_blocks(self.first(self.down(source)))
        align_corners = self.conventions.sparse_warp_align_corners
        warped = warp_by_pixels(features, self.sparse_flow(features), align_corners=align_corners)
        motion_picture: Tensor = self.final(self.motionup_blocks(self.bottleneck(warped)))
        return motion_picture

    def feature_difference(self, source: Tensor, driving: Tensor) -> Tensor:
        """Difference [B, 1, 64, 64] of the enlarged features [B, 1, 4, 4], driving less source."""
        difference: Tensor = self.up_blocks(driving) - self.up_blocks(source)
        return difference

    def forward(self, motion_picture: Tensor, source: Tensor, driving: Tensor) -> DenseFlow:
        """Motion from the driving picture to the source.

        Args:
            motion_picture: [B, 3, 64, 64] of `encode_source`, batch 1 or B.
            source: [B, 1, 4, 4] feature of the key picture, batch 1 or B.
            driving: [B, 1, 4, 4] feature of the driving picture.
        """
        difference = self.feature_difference(source, driving)
        motion_picture = motion_picture.expand(difference.shape[0], -1, -1, -1)
        features = self.hourglass(torch.cat([difference, motion_picture], dim=1))
        return DenseFlow(
            flow=self.flow(features).permute(0, 2, 3, 1),
            occlusion=torch.sigmoid(self.occlusion(features)),
        )


@dataclass(frozen=True)
class CfteSource:
    """What the generator keeps of a key picture.

    Attributes:
        features: [B, C, 64, 64] to be warped.
        motion_picture: [B, 3, 64, 64] for the motion network.
    """

    features: Tensor
    motion_picture: Tensor


class CfteGenerator(FeatureWarpingGenerator):
    """Renders the driving picture from the source picture and the compact features of both.

    source ─┬─ first ── down_blocks ──► features                            ┐ encode_source,
            └─ dense_motion_network.encode_source ──► motion picture        ┘ once per key picture

    motion picture, features ── dense_motion_network ──► flow, occlusion    ┐ animate,
    features ── warp by flow ── × occlusion ── bottleneck ── up_blocks      │ once per
             ── final 7×7 ── sigmoid ──► prediction                         ┘ picture
    """

    dense_motion_network: CfteDenseMotionNetwork

    def __init__(self, configuration: CfteConfiguration) -> None:
        super().__init__(
            configuration.generator,
            configuration.bottleneck_blocks,
            CfteDenseMotionNetwork(configuration),
        )
        self.conventions = configuration.conventions

    def encode_source(self, source: Tensor) -> CfteSource:
        """All work that depends on the key picture alone.

        Args:
            source: [B, 3, 256, 256] in 0..1.

        Raises:
            ValueError: the picture has another size.
        """
        check_picture_size(source)
        return CfteSource(
            self.encode_picture(source), self.dense_motion_network.encode_source(source)
        )

    def animate(
        self, source: CfteSource, source_feature: Tensor, driving_feature: Tensor
    ) -> Tensor:
        """Render pictures [B, 3, 256, 256] in 0..1.

        Args:
            source: of `encode_source`, batch 1 or B.
            source_feature: [B, 1, 4, 4] of the key picture, batch 1 or B.
            driving_feature: [B, 1, 4, 4] of the pictures to render.
        """
        motion: DenseFlow = self.dense_motion_network(
            source.motion_picture, source_feature, driving_feature
        )
        return self.decode_features(self._warp(source.features, motion.flow) * motion.occlusion)

    def forward(self, source: Tensor, source_feature: Tensor, driving_feature: Tensor) -> Tensor:
        """`encode_source` and `animate` in one."""
        return self.animate(self.encode_source(source), source_feature, driving_feature)

    def warp_picture(self, picture: Tensor, motion: DenseFlow) -> Tensor:
        """Source picture [B, 3, 256, 256] warped by the flow alone; for display only.

        The flow is enlarged without scaling its length, as in the research software.
        """
        height, width = picture.shape[2:]
        return self._warp(picture, enlarge_positions(motion.flow, (height, width)))

    def _warp(self, source: Tensor, flow: Tensor) -> Tensor:
        align_corners = self.conventions.dense_warp_align_corners
        return warp_by_pixels(source, flow, align_corners=align_corners)


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


def build(variant: str, names: Collection[str]) -> Cfte:
    """The network of a published copy; names of tensors say nothing about this one."""
    return Cfte(CfteConfiguration(conventions=CFTE_CONVENTIONS[variant]))
