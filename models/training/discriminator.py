"""A judge of small patches."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Three convolutions of stride 2 and a verdict for each patch.

    Isola et al., "Image-to-image translation with conditional adversarial networks", 2017;
    Miyato et al., "Spectral normalization for generative adversarial networks", 2018.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        steps = ((3, channels), (channels, 2 * channels), (2 * channels, 4 * channels))
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, 2, 1)) for before, after in steps
        )
        self.verdict = spectral_norm(nn.Conv2d(4 * channels, 1, 3, padding=1))

    def forward(self, picture: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[B, 3, H, W] in 0..1 to verdicts [B, 1, H/8, W/8] (above 0: real) and layer outputs."""
        features = []
        for layer in self.layers:
            picture = functional.leaky_relu(layer(picture), 0.2)
            features.append(picture)
        return self.verdict(picture).float(), features
