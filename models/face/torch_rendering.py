"""The `face` network run by PyTorch: from a weights file to pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.contract import Float32Array, Picture
from models.errors import CheckpointError
from models.face.blocks import (
    ConvolutionBlock,
    DoublingBlock,
    FaceConfiguration,
    FoldableResidualBlock,
)
from models.face.network import FaceNetwork, KeyFeatures, Second
from models.face.polyphase import PolyphaseConvolution
from models.face.renderer import Between, Draw, DrawBetween
from models.files import read_weights


def load_face_network(path: Path) -> FaceNetwork:
    """Build the network of a safetensors file that training exported, for use on the CPU.

    Raises:
        CheckpointError: the file is missing, damaged or of another network.
    """
    tensors, metadata = read_weights(path)
    try:
        values = json.loads(metadata.get("configuration", ""))
    except (ValueError, RecursionError):
        raise CheckpointError(
            f"{path}: has no configuration of a face network (no JSON that can be read)"
        ) from None
    try:
        configuration = FaceConfiguration(**{**values, "channels": tuple(values["channels"])})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: has no configuration of a face network ({error})") from None
    with torch.device("meta"):
        network = FaceNetwork(configuration)
    wanted = network.state_dict()
    if wrong := sorted(
        name
        for name in wanted.keys() | tensors.keys()
        if name not in wanted or name not in tensors or wanted[name].shape != tensors[name].shape
    ):
        raise CheckpointError(f"{path}: {wrong[0]} is missing, left over or of another shape")
    restored = {name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()}
    network.load_state_dict(restored, assign=True)
    return network.eval()


def fold(network: FaceNetwork) -> FaceNetwork:
    """Make a network in use faster, in place; it computes the same, up to rounding.

    Each normalisation is folded into the convolution before it, and doubled maps are convolved
    phase by phase.
    """
    network.eval()
    blocks = [
        block
        for block in network.modules()
        if isinstance(block, ConvolutionBlock | DoublingBlock | FoldableResidualBlock)
    ]
    for block in blocks:
        assert isinstance(block.conv, torch.nn.Conv2d), "folded already"
        convolution = fuse_conv_bn_eval(block.conv, block.norm)
        if isinstance(block, DoublingBlock):
            block.conv = PolyphaseConvolution(convolution, block.channels_low)
        else:
            block.conv = convolution
        block.norm = torch.nn.Identity()  # type: ignore[assignment]
    return network


class TorchDraw:
    """Draws pictures from one encoded key picture."""

    def __init__(self, renderer: TorchRenderer, key: KeyFeatures) -> None:
        self._renderer = renderer
        self.key = key

    def __call__(
        self, driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
    ) -> Picture:
        """The picture of landmarks and their flow."""
        renderer, network = self._renderer, self._renderer.network
        count = renderer.compact_features
        sent = np.zeros(count, np.float32) if compact is None else compact
        with torch.inference_mode():
            drawing = network.draw(
                self.key,
                renderer.tensor(driven),
                renderer.tensor(flow),
                renderer.tensor(sent) if count else None,
            )
            return _rounded(drawing.picture)


def _rounded(drawn: torch.Tensor) -> Picture:
    """A drawn picture [1, 3, S, S] in 0..1, of 8 bits: [S, S, 3]."""
    whole = (drawn[0] * 255 + 0.5).to(torch.uint8)
    return np.ascontiguousarray(whole.permute(1, 2, 0).cpu().numpy())


class TorchRenderer:
    """Draws pictures on a device, one at a time: PyTorch has threads of its own."""

    concurrent = False

    def __init__(self, network: FaceNetwork, device: torch.device) -> None:
        folded = fold(network).requires_grad_(False).to(device)
        # mypy does not know the overload of `to` for a memory format alone.
        self.network: FaceNetwork = folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device

    @property
    def fuses(self) -> bool:
        """Whether the network draws from two references at once."""
        return self.network.fusing is not None

    @property
    def compact_features(self) -> int:
        """How many values the compact feature has."""
        return self.network.configuration.compact_features

    def tensor(self, array: Float32Array) -> torch.Tensor:
        """An array with a batch of 1, on the device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device).unsqueeze(0)

    def _picture(self, picture: Picture) -> torch.Tensor:
        # A permuted picture is channels_last already.
        pixels = torch.from_numpy(np.array(picture)).to(self._device).permute(2, 0, 1)
        return pixels.unsqueeze(0).float() / 255

    def prepare(self, picture: Picture, landmarks: Float32Array) -> TorchDraw:
        """Encode a key picture once."""
        with torch.inference_mode():
            key = self.network.encode_key(self._picture(picture), self.tensor(landmarks))
        return TorchDraw(self, key)

    def pair(self, first: Draw, second: Draw) -> DrawBetween:
        """Draw from two key pictures that were prepared."""
        assert isinstance(first, TorchDraw)
        assert isinstance(second, TorchDraw)
        keys = first.key, second.key

        def draw(place: Between) -> Picture:
            earlier, later = (self.tensor(flow) for flow in place.flows)
            rest, lead = self.tensor(place.rest), self.tensor(place.lead).unsqueeze(1)
            with torch.inference_mode():
                rests = place.progress * rest, (place.progress - 1) * rest
                other = Second(keys[1], later, rests, lead)
                landmarks = self.tensor(place.landmarks)
                drawing = self.network.draw(keys[0], landmarks, earlier, second=other)
                return _rounded(drawing.picture)

        return draw

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture."""
        with torch.inference_mode():
            values = self.network.analyse(
                self._picture(driven),
                self._picture(key),
                self.tensor(landmarks),
                self.tensor(flow),
            )
            return np.asarray(values[0].cpu().numpy(), np.float32)
