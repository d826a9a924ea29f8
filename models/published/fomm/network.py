"""FOMM's networks: keypoint detector, dense motion, generator."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.published.fomm.configuration import FOMM_CONVENTIONS, FommConfiguration
from models.published.layers.blocks import REDUCTION_FACTOR, Reduction, check_picture
from models.published.layers.hourglass import FeatureWarpingGenerator, Hourglass
from models.published.layers.motion import (
    DenseMotion,
    blend_motions,
    enlarge_positions,
    expected_positions,
    heatmap_differences,
    motion_network_input,
    sample,
    sample_each,
    softmax_over_space,
    sparse_motions,
)


@dataclass(frozen=True)
class FommKeypoints:
    """Keypoints with the local affine motion around them.

    Attributes:
        positions: [B, K, 2] in order x, y; −1 and +1 are the borders of the picture.
        jacobians: [B, K, 2, 2], from an abstract common frame to the picture.
    """

    positions: Tensor
    jacobians: Tensor


class FommKeypointDetector(nn.Module):
    """Finds keypoints and Jacobians in a picture.

        picture ── down ── predictor ─┬─ kp 7×7 ── soft-max ─┬─ × grid ── Σ ──► positions
                   1/4    (hourglass) │                      │
                                      └─ jacobian 7×7 ────── × ─── Σ ─────────► jacobians

    Both 7×7 convolutions are without padding, so their maps are 6 samples smaller than the
    hourglass; the grid still spans −1 to +1.
    """

    def __init__(self, configuration: FommConfiguration) -> None:
        super().__init__()
        self.predictor = Hourglass(configuration.detector, 3)
        self.kp = nn.Conv2d(self.predictor.channels_out, configuration.keypoints, 7)
        self.jacobian = nn.Conv2d(self.predictor.channels_out, 4 * configuration.keypoints, 7)
        self.down = Reduction()
        self.temperature = configuration.temperature
        self.picture_multiple = REDUCTION_FACTOR * 2**configuration.detector.levels

    def forward(self, picture: Tensor) -> FommKeypoints:
        """Analyse pictures [B, 3, H, W] in 0..1.

        Raises:
            ValueError: H or W is not a multiple of ``picture_multiple``.
        """
        check_picture(picture, self.picture_multiple)
        features = self.predictor(self.down(picture))
        weights = softmax_over_space(self.kp(features), self.temperature)
        jacobian_maps = self.jacobian(features).unflatten(1, (-1, 4))
        jacobians = (weights.unsqueeze(2) * jacobian_maps).flatten(3).sum(dim=3)
        return FommKeypoints(expected_positions(weights), jacobians.unflatten(2, (2, 2)))


def inverse_2x2(matrices: Tensor) -> Tensor:
    """Inverse of matrices [..., 2, 2]; not finite where a matrix is singular.

    Written out because a general solver would be the only operation of the network that an exported
    graph cannot express.
    """
    (a, b), (c, d) = (row.unbind(-1) for row in matrices.unbind(-2))
    adjugate = torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2)
    return adjugate / (a * d - b * c)[..., None, None]


class FommDenseMotionNetwork(nn.Module):
    """Blends the motions of the keypoints into one motion field with an occlusion map.

        keypoints of both ─┬─ heat map differences ────────────────┐
                           └─ sparse motions T_0..T_K ─┬─ sample ──┴─ interleave ── hourglass ─┐
        reduced source ────────────────────────────────│────┘                                  │
                                                       │                                       │
        deformation ◄──────────────────────── Σ ────── × ◄── soft-max over T ◄── mask 7×7 ◄────┤
        occlusion ◄── sigmoid ◄── occlusion 7×7 ◄──────────────────────────────────────────────┘

    Everything happens at a quarter of the picture's resolution (h, w).
    """

    def __init__(self, configuration: FommConfiguration) -> None:
        super().__init__()
        motions = configuration.keypoints + 1
        self.hourglass = Hourglass(configuration.motion, motions * (1 + 3))
        self.mask = nn.Conv2d(self.hourglass.channels_out, motions, 7, padding=3)
        self.occlusion = nn.Conv2d(self.hourglass.channels_out, 1, 7, padding=3)
        self.down = Reduction()
        self.conventions = configuration.conventions

    def reduce(self, source: Tensor) -> Tensor:
        """Source picture [B, 3, H, W] to the resolution of the motion, [B, 3, h, w]."""
        reduced: Tensor = self.down(source)
        return reduced

    def heatmap_differences(
        self, source: FommKeypoints, driving: FommKeypoints, size: torch.Size
    ) -> Tensor:
        """Heat map differences [B, K+1, h, w], or zeros where the conventions say so."""
        differences = heatmap_differences(source.positions, driving.positions, size)
        return differences if self.conventions.use_heatmaps else torch.zeros_like(differences)

    def sparse_motions(
        self, source: FommKeypoints, driving: FommKeypoints, size: torch.Size
    ) -> Tensor:
        """Motions [B, K+1, h, w, 2] of the keypoints, positions in the source."""
        matrices = None
        if self.conventions.use_jacobians:
            matrices = source.jacobians @ inverse_2x2(driving.jacobians)
        return sparse_motions(source.positions, driving.positions, size, matrices)

    def deform_source(self, reduced: Tensor, motions: Tensor) -> Tensor:
        """Reduced source [B, 3, h, w] as every motion shows it, [B, K+1, 3, h, w]."""
        align_corners = self.conventions.sparse_sampling_align_corners
        return sample_each(reduced, motions, align_corners=align_corners)

    def forward(
        self, reduced: Tensor, source: FommKeypoints, driving: FommKeypoints
    ) -> DenseMotion:
        """Motion from the driving picture to the source.

        Args:
            reduced: [B, 3, h, w] of `reduce`.
            source: keypoints of the key picture, batch 1 or B.
            driving: keypoints of the driving picture, batch B.
        """
        size = reduced.shape[2:]
        motions = self.sparse_motions(source, driving, size)
        heatmaps = self.heatmap_differences(source, driving, size)
        deformed = self.deform_source(reduced, motions)
        features = self.hourglass(motion_network_input(heatmaps, deformed))
        mask = self.mask(features).softmax(dim=1)
        occlusion = torch.sigmoid(self.occlusion(features))
        return DenseMotion(mask, blend_motions(mask, motions), occlusion)


@dataclass(frozen=True)
class FommSource:
    """What the generator keeps of a key picture [B, 3, H, W].

    Attributes:
        features: [B, C, H/4, W/4] to be warped.
        reduced: [B, 3, H/4, W/4] picture for the motion network.
    """

    features: Tensor
    reduced: Tensor


class FommGenerator(FeatureWarpingGenerator):
    """Renders the driving picture from the source picture and the keypoints of both.

    source ─┬─ first ── down_blocks ──► features     ┐ encode_source,
            └─ dense_motion_network.down ──► reduced ┘ once per key picture

    reduced, keypoints ── dense_motion_network ──► deformation, occlusion    ┐ animate,
    features ── sample at deformation ── × occlusion ── bottleneck ── up_blocks │ once per
             ── final 7×7 ── sigmoid ──► prediction                          ┘ picture
    """

    dense_motion_network: FommDenseMotionNetwork

    def __init__(self, configuration: FommConfiguration) -> None:
        super().__init__(
            configuration.generator,
            configuration.bottleneck_blocks,
            FommDenseMotionNetwork(configuration),
        )
        self.conventions = configuration.conventions
        self.picture_multiple = REDUCTION_FACTOR * 2**configuration.motion.levels

    def encode_source(self, source: Tensor) -> FommSource:
        """All work that depends on the key picture alone.

        Args:
            source: [B, 3, H, W] in 0..1.

        Raises:
            ValueError: H or W is not a multiple of ``picture_multiple``.
        """
        check_picture(source, self.picture_multiple)
        return FommSource(self.encode_picture(source), self.dense_motion_network.reduce(source))

    def animate(
        self,
        source: FommSource,
        source_keypoints: FommKeypoints,
        driving_keypoints: FommKeypoints,
    ) -> Tensor:
        """Render pictures [B, 3, H, W] in 0..1.

        A singular driving Jacobian makes the picture not finite: check received ones beforehand.

        Args:
            source: of `encode_source`, batch 1 or B.
            source_keypoints: of the key picture, batch 1 or B.
            driving_keypoints: of the pictures to render, batch B.
        """
        motion: DenseMotion = self.dense_motion_network(
            source.reduced, source_keypoints, driving_keypoints
        )
        return self.decode_features(
            self._warp(source.features, motion.deformation) * motion.occlusion
        )

    def forward(
        self, source: Tensor, source_keypoints: FommKeypoints, driving_keypoints: FommKeypoints
    ) -> Tensor:
        """`encode_source` and `animate` in one."""
        return self.animate(self.encode_source(source), source_keypoints, driving_keypoints)

    def warp_picture(self, picture: Tensor, motion: DenseMotion) -> Tensor:
        """Source picture [B, 3, H, W] warped by the motion alone; for display only."""
        height, width = picture.shape[2:]
        return self._warp(picture, enlarge_positions(motion.deformation, (height, width)))

    def _warp(self, source: Tensor, positions: Tensor) -> Tensor:
        align_corners = self.conventions.feature_warp_align_corners
        return sample(source, positions, align_corners=align_corners)


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


def build(variant: str, names: Collection[str]) -> Fomm:
    """The network of a published copy; names of tensors say nothing about this one."""
    return Fomm(FommConfiguration(conventions=FOMM_CONVENTIONS[variant]))
