"""FV2V's detector of canonical keypoints."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from models.fv2v.configuration import Fv2vConfiguration
from models.layers import (
    REDUCTION_FACTOR,
    DownBlock,
    Reduction,
    UpBlock3d,
    check_picture,
    expected_positions,
    softmax_over_space,
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
