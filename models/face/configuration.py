"""Sizes of the `face` network."""

from __future__ import annotations

from dataclasses import dataclass

MAX_COMPACT_FEATURES = 8


@dataclass(frozen=True, slots=True)
class FaceConfiguration:
    """Sizes of a network.

    Attributes:
        channels: of the features at 1/2, 1/4 and 1/8 of the picture's width.
        motion_channels: of the motion network at 1/4 of the width; doubled at each halving.
        bottleneck_blocks: residual blocks at 1/8 of the width, per driven picture.
        compact_features: most values 0..8 that the encoder measures and sends beside the
            landmarks; how many of them are sent is chosen for each stream.
        heat_map_width: standard deviation of the landmark heat maps, in picture widths.
        residual_reach: how far the residual flow may go along an axis, in picture widths.
    """

    channels: tuple[int, int, int] = (24, 48, 112)
    motion_channels: int = 20
    bottleneck_blocks: int = 2
    compact_features: int = 0
    heat_map_width: float = 0.02
    residual_reach: float = 0.1

    def __post_init__(self) -> None:
        if len(self.channels) != 3 or min(*self.channels, self.motion_channels) < 1:
            raise ValueError("the network has three numbers of channels, each 1 or more")
        if self.bottleneck_blocks < 1:
            raise ValueError("the network has 1 or more bottleneck blocks")
        if not 0 <= self.compact_features <= MAX_COMPACT_FEATURES:
            raise ValueError(f"compact features are 0..{MAX_COMPACT_FEATURES} values")
        if self.heat_map_width <= 0 or self.residual_reach <= 0:
            raise ValueError("heat map width and residual reach are above 0")
