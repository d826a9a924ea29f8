"""The `face` network run by PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.contract import Picture
from models.face.blocks import ConvolutionBlock, FoldableResidualBlock
from models.face.network import FaceNetwork
from models.face.rendering import Draw
from models.mesh.flow import Float32Array


def fold(network: FaceNetwork) -> FaceNetwork:
    """Fold each normalisation into the convolution before it; for a network in use, in place."""
    network.eval()
    for block in network.modules():
        if isinstance(block, ConvolutionBlock | FoldableResidualBlock):
            block.conv = fuse_conv_bn_eval(block.conv, block.norm)
            block.norm = torch.nn.Identity()  # type: ignore[assignment]
    return network


class TorchRenderer:
    """Draws pictures on a device, in bfloat16 where that is a processor's faster way."""

    def __init__(self, network: FaceNetwork, device: torch.device) -> None:
        folded = fold(network).requires_grad_(False).to(device)
        # mypy does not know the overload of `to` for a memory format alone.
        self._network: FaceNetwork = folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Encode a key picture once."""
        network = self._network

        def tensor(array: Float32Array) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(self._device).unsqueeze(0)

        with torch.inference_mode():
            pixels = torch.from_numpy(np.array(picture)).to(self._device).permute(2, 0, 1)
            # A permuted picture is channels_last already.
            key = network.encode_key(pixels.unsqueeze(0).float() / 255, tensor(landmarks))

        def draw(driven: Float32Array, flow: Float32Array) -> Picture:
            with torch.inference_mode():
                compact = None
                if network.configuration.compact_features:
                    compact = torch.zeros(
                        1, network.configuration.compact_features, device=self._device
                    )
                drawn = network.draw(key, tensor(driven), tensor(flow), compact).picture[0]
                whole = (drawn * 255).round().clamp(0, 255).to(torch.uint8)
                return np.ascontiguousarray(whole.permute(1, 2, 0).cpu().numpy())

        return draw
