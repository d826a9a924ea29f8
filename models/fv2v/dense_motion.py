"""FV2V's dense motion network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.fv2v.configuration import Fv2vConfiguration
from models.layers import (
    DenseMotion,
    Hourglass3d,
    blend_motions,
    heatmap_differences,
    motion_network_input,
    sample_each,
    sparse_motions,
)


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
