"""FOMM's dense motion network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.fomm.configuration import FommConfiguration
from models.fomm.keypoint_detector import FommKeypoints
from models.layers import (
    DenseMotion,
    Hourglass,
    Reduction,
    blend_motions,
    heatmap_differences,
    motion_network_input,
    sample_each,
    sparse_motions,
)


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
