"""The perceptual loss: how alike two pictures look to VGG-19.

Johnson et al., "Perceptual losses for real-time style transfer and super-resolution", 2016, on a
pyramid of pictures as in Siarohin et al., "First Order Motion Model for Image Animation", 2019. The
network is configuration E of Simonyan and Zisserman, "Very deep convolutional networks for
large-scale image recognition", 2015, up to the first convolution of its fifth block. Its weights
do not come with the project.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import CheckpointError
from models.training.errors import TrainingError
from models.weights.reading import read_checkpoint
from models.weights.tensors import fit_tensors

# Channels of each convolution; 0 halves the resolution.
_LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512)
_COMPARED = (1, 6, 11, 20, 29)
"""Numbers of the ReLU layers behind the first convolution of each block."""

_UNUSED = tuple(
    f"features.{number}.{kind}" for number in (30, 32, 34) for kind in ("weight", "bias")
)
"""The rest of the fifth block, which whole files hold."""

_SCALES = 4
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures of ImageNet, in 0..1."""


class VggFeatures(nn.Module):
    """Outputs of five layers of VGG-19; names and shapes are those of the published weights."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for channels in _LAYERS:
            if channels:
                layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
                before = channels
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(_DEVIATION).reshape(1, 3, 1, 1), persistent=False
        )

    def forward(self, picture: Tensor) -> list[Tensor]:
        """[B, 3, H, W] in 0..1, sides from 16 on, to features of five resolutions."""
        x = (picture - self.mean) / self.deviation
        outputs = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in _COMPARED:
                outputs.append(x)
        return outputs


def load_vgg(path: Path) -> VggFeatures:
    """VGG-19 with the weights of a file, in evaluation mode and not to be trained.

    The file is the published `vgg19` state dictionary (`.pth`) or a safetensors file with the same
    names (`features.0.weight`, …). Its classifier and the rest of its fifth block are left out.

    Raises:
        TrainingError: the file is missing, unsafe, cut off or of another network.
    """
    network = VggFeatures()
    try:
        tensors = read_checkpoint(path, ("features",))
        used = {name: tensor for name, tensor in tensors.items() if name not in _UNUSED}
        network.load_state_dict(fit_tensors(used, network), strict=True)
    except CheckpointError as error:
        text = str(error)
        where = "" if text.startswith(str(path)) else f"{path}: "
        raise TrainingError(f"{where}{text}; wanted are the weights of VGG-19") from None
    return network.eval().requires_grad_(False)


def perceptual_loss(network: VggFeatures, picture: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of features, summed over layers and over four resolutions.

    `picture` and `target` are [B, 3, H, W] in 0..1.
    """
    total = torch.zeros((), device=picture.device)
    for scale in range(_SCALES):
        if scale:
            picture, target = functional.avg_pool2d(picture, 2), functional.avg_pool2d(target, 2)
        if min(picture.shape[2:]) < 16:
            break
        with torch.no_grad():
            wanted = network(target)
        for drawn, real in zip(network(picture), wanted, strict=True):
            total = total + (drawn.float() - real.float()).abs().mean()
    return total
