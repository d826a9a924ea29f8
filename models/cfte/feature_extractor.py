"""CFTE's analysis network."""

from __future__ import annotations

from torch import Tensor, nn

from models.cfte.configuration import CfteConfiguration
from models.layers import GeneralisedDivisiveNormalisation, Hourglass, Reduction

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
