"""FV2V's networks: keypoint detector, dense motion, generator; the pose estimator is apart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.published.fv2v.configuration import FV2V_CONVENTIONS, Fv2vConfiguration
from models.published.fv2v.pose import Fv2vPoseEstimator
from models.published.layers.blocks import (
    REDUCTION_FACTOR,
    DownBlock,
    Reduction,
    SameBlock,
    UpBlock,
    UpBlock3d,
    check_picture,
    residual_blocks,
)
from models.published.layers.hourglass import Hourglass3d
from models.published.layers.motion import (
    DenseMotion,
    blend_motions,
    expected_positions,
    heatmap_differences,
    motion_network_input,
    sample,
    sample_each,
    softmax_over_space,
    sparse_motions,
)


class _VolumePredictor(nn.Module):
    """From a picture to a volume: 2-D down, 1×1 convolution whose channels become depth, 3-D up."""

    def __init__(self, configuration: Fv2vConfiguration) -> None:
        super().__init__()
        pyramid = configuration.detector
        (_, first), *rest = pyramid.down_steps()
        lowest = pyramid.channels(pyramid.levels)
        self.down_blocks = nn.Sequential(
            OrderedDict(
                (f"down{i}", DownBlock(*step)) for i, step in enumerate([(3, first), *rest])
            )
        )
        self.conv = nn.Conv2d(lowest, lowest * configuration.depth, 1)
        self.up_blocks = nn.Sequential(
            OrderedDict((f"up{i}", UpBlock3d(*step)) for i, step in enumerate(pyramid.up_steps()))
        )
        self.depth = configuration.depth

    def forward(self, picture: Tensor) -> Tensor:
        volume = self.conv(self.down_blocks(picture)).unflatten(1, (-1, self.depth))
        features: Tensor = self.up_blocks(volume)
        return features


class Fv2vKeypointDetector(nn.Module):
    """Finds the canonical keypoints: where they would be in a neutral, frontal face.

        picture ── [down] ── predictor.down_blocks ── predictor.conv ── C·D channels as C × D
                    1/4                                                        │
        positions ◄── Σ grid ── soft-max ── / temperature ── kp 3×3×3 ── predictor.up_blocks

    By far the heaviest network here; needed once per key picture, at the decoder only. At 256×256
    its volumes have 16×256×256 samples.
    """

    def __init__(self, configuration: Fv2vConfiguration) -> None:
        super().__init__()
        self.predictor = _VolumePredictor(configuration)
        self.kp = nn.Conv3d(configuration.detector.base, configuration.keypoints, 3, padding=1)
        self.down = Reduction() if configuration.detector_reduces_picture else nn.Identity()
        self.temperature = configuration.temperature
        factor = REDUCTION_FACTOR if configuration.detector_reduces_picture else 1
        self.picture_multiple = factor * 2**configuration.detector.levels

    def forward(self, picture: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in 0..1 to positions [B, K, 3] in order x, y, z, ±1 at the borders.

        Raises:
            ValueError: H or W is not a multiple of ``picture_multiple``.
        """
        check_picture(picture, self.picture_multiple)
        logits = self.kp(self.predictor(self.down(picture)))
        return expected_positions(softmax_over_space(logits, self.temperature))


class Fv2vDenseMotionNetwork(nn.Module):
    """Blends the motions of the 3-D keypoints into one motion field with an occlusion map.

        volume ── compress 1×1×1 ── norm ── ReLU ──► compressed        once per key picture

        keypoints of both ─┬─ heat map differences ────────────────┐
                           └─ sparse motions T_0..T_K ─┬─ sample ──┴─ interleave ── hourglass ─┐
        compressed ────────────────────────────────────│────┘                                  │
                                                       │                                       │
        deformation ◄──────────────────────── Σ ────── × ◄── soft-max over T ◄── mask 7×7×7 ◄──┤
        occlusion ◄── sigmoid ◄── occlusion 7×7 ◄── depth into channels ◄──────────────────────┘

    Volumes have D×h×w samples, h and w a quarter of the picture's size.
    """

    def __init__(self, configuration: Fv2vConfiguration) -> None:
        super().__init__()
        motions = configuration.keypoints + 1
        compressed = configuration.compressed_channels
        self.hourglass = Hourglass3d(configuration.motion, motions * (1 + compressed))
        channels = self.hourglass.channels_out
        self.mask = nn.Conv3d(channels, motions, 7, padding=3)
        self.compress = nn.Conv3d(configuration.volume_channels, compressed, 1)
        self.norm = nn.BatchNorm3d(compressed)
        self.occlusion = nn.Conv2d(channels * configuration.depth, 1, 7, padding=3)
        self.conventions = configuration.conventions

    def compress_volume(self, volume: Tensor) -> Tensor:
        """Feature volume [B, C, D, h, w] to the few channels that are sampled, [B, c, D, h, w]."""
        return functional.relu(self.norm(self.compress(volume)))

    def deform_source(self, compressed: Tensor, motions: Tensor) -> Tensor:
        """Compressed volume as every motion [B, K+1, D, h, w, 3] shows it, [B, K+1, c, D, h, w]."""
        align_corners = self.conventions.sparse_sampling_align_corners
        return sample_each(compressed, motions, align_corners=align_corners)

    def forward(self, compressed: Tensor, source: Tensor, driving: Tensor) -> DenseMotion:
        """Motion from the driving picture to the source.

        Args:
            compressed: [B, c, D, h, w] of `compress_volume`, batch 1 or B.
            source: [B, K, 3] keypoints of the key picture, batch 1 or B.
            driving: [B, K, 3] keypoints of the driving picture.
        """
        size = compressed.shape[2:]
        motions = sparse_motions(source, driving, size)
        heatmaps = heatmap_differences(source, driving, size)
        deformed = self.deform_source(compressed, motions)
        features = self.hourglass(motion_network_input(heatmaps, deformed))
        mask = self.mask(features).softmax(dim=1)
        occlusion = torch.sigmoid(self.occlusion(features.flatten(1, 2)))
        return DenseMotion(mask, blend_motions(mask, motions), occlusion)


_LEAK = 0.01


@dataclass(frozen=True)
class Fv2vSource:
    """What the generator keeps of a key picture [B, 3, H, W].

    Attributes:
        volume: [B, C, D, H/4, W/4] features to be warped.
        compressed: [B, c, D, H/4, W/4] volume for the motion network.
    """

    volume: Tensor
    compressed: Tensor


class Fv2vGenerator(nn.Module):
    """Renders the driving picture from the source picture and the keypoints of both.

    source ── first 7×7 ── down_blocks ── second 1×1 ── C·D channels as C × D   ┐ encode_source,
           ── resblocks_3d ──► volume ── dense_motion_network.compress_volume   │ once per
                                                         ──► compressed         ┘ key picture

    compressed, keypoints ── dense_motion_network ──► deformation, occlusion    ┐ animate,
    volume ── sample at deformation ── C × D as C·D channels ── third 3×3       │ once per
           ── fourth 1×1 ── × occlusion ── resblocks_2d ── up_blocks            │ picture
           ── final 7×7 ── sigmoid ──► prediction                               ┘
    """

    def __init__(self, configuration: Fv2vConfiguration) -> None:
        super().__init__()
        pyramid = configuration.generator
        channels = pyramid.channels(pyramid.levels)
        volume = configuration.volume_channels
        blocks = configuration.residual_blocks
        self.dense_motion_network = Fv2vDenseMotionNetwork(configuration)
        self.first = SameBlock(3, pyramid.base, kernel=7)
        self.down_blocks = nn.Sequential(*(DownBlock(*step) for step in pyramid.down_steps()))
        self.second = nn.Conv2d(channels, volume * configuration.depth, 1)
        self.resblocks_3d = residual_blocks(blocks, volume, "3dr", dimensions=3)
        self.third = SameBlock(volume * configuration.depth, channels, negative_slope=_LEAK)
        self.fourth = nn.Conv2d(channels, channels, 1)
        self.resblocks_2d = residual_blocks(blocks, channels, "2dr")
        self.up_blocks = nn.Sequential(*(UpBlock(*step) for step in pyramid.up_steps()))
        self.final = nn.Conv2d(pyramid.base, 3, 7, padding=3)
        self.depth = configuration.depth
        self.conventions = configuration.conventions
        self.picture_multiple = REDUCTION_FACTOR * 2**configuration.motion.levels

    def encode_source(self, source: Tensor) -> Fv2vSource:
        """All work that depends on the key picture alone.

        Args:
            source: [B, 3, H, W] in 0..1.

        Raises:
            ValueError: H or W is not a multiple of ``picture_multiple``.
        """
        check_picture(source, self.picture_multiple)
        planes = self.second(self.down_blocks(self.first(source)))
        volume = self.resblocks_3d(planes.unflatten(1, (-1, self.depth)))
        return Fv2vSource(volume, self.dense_motion_network.compress_volume(volume))

    def animate(
        self, source: Fv2vSource, source_keypoints: Tensor, driving_keypoints: Tensor
    ) -> Tensor:
        """Render pictures [B, 3, H, W] in 0..1.

        Args:
            source: of `encode_source`, batch 1 or B.
            source_keypoints: [B, K, 3] of the key picture, batch 1 or B.
            driving_keypoints: [B, K, 3] of the pictures to render.
        """
        motion: DenseMotion = self.dense_motion_network(
            source.compressed, source_keypoints, driving_keypoints
        )
        warped = self.warp_volume(source.volume, motion)
        features = self.fourth(self.third(warped.flatten(1, 2))) * motion.occlusion
        return torch.sigmoid(self.final(self.up_blocks(self.resblocks_2d(features))))

    def forward(
        self, source: Tensor, source_keypoints: Tensor, driving_keypoints: Tensor
    ) -> Tensor:
        """`encode_source` and `animate` in one."""
        return self.animate(self.encode_source(source), source_keypoints, driving_keypoints)

    def warp_volume(self, volume: Tensor, motion: DenseMotion) -> Tensor:
        """Feature volume [B, C, D, h, w] moved to the driving picture."""
        align_corners = self.conventions.feature_warp_align_corners
        return sample(volume, motion.deformation, align_corners=align_corners)


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


def build(variant: str, names: Collection[str]) -> Fv2v:
    """The network of a published copy; names of tensors tell how its detector works."""
    return Fv2v(
        Fv2vConfiguration(
            conventions=FV2V_CONVENTIONS[variant],
            detector_reduces_picture="kp_detector.down.weight" in names,
        )
    )
