"""FOMM's analysis network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from models.fomm.configuration import FommConfiguration
from models.layers import (
    REDUCTION_FACTOR,
    Hourglass,
    Reduction,
    check_picture,
    expected_positions,
    softmax_over_space,
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
