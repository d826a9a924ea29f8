"""The network of the post-filter, in PyTorch: for training, and for the ONNX graph made of it.

A residual network on three scales: what it adds to a picture is found at 1/2, 1/4 and 1/8 of its
size, where most of the layers are, since most of what coding costs a face is wider than a pixel.
There is no normalisation: what a layer does must not depend on how large the picture is.

Beside the picture it is told by which quantisation parameter that is coded, which moves all
channels of its first layer. What it may change is small where coding was fine, and it cannot see
well whether it was.

One that enlarges gives pictures of twice the width and height: its first scale is that of the
decoded picture, and so half of what comes out, too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from models.errors import CheckpointError
from models.files import MAX_TENSOR_FILE, check_tensor_file

_FIRST = 2  # the first scale is that of half the picture that comes out
_MIDDLE_QP, _QP_RANGE = 32, 10  # what a QP is relative to, and in units of


@dataclass(frozen=True, slots=True)
class PostFilterConfiguration:
    """Channels at 1/2, 1/4 and 1/8 of the size of what comes out, and residual blocks at each.

    The blocks of the middle scale are there twice, on the way down and on the way up; those of the
    first one are on the way up. `enlarging` is whether what comes out is twice as wide and as high
    as the decoded picture. `qps` are the least and the most that it is told, since it has learned
    nothing beyond.

    Raises:
        ValueError: a number is less than 1, or there is no such range.
    """

    channels: tuple[int, int, int] = (32, 48, 64)
    blocks: tuple[int, int, int] = (1, 2, 4)
    enlarging: bool = False
    qps: tuple[int, int] = (24, 45)

    def __post_init__(self) -> None:
        if min(*self.channels, *self.blocks) < 1 or len(self.channels) != len(self.blocks):
            raise ValueError(f"channels {self.channels} and blocks {self.blocks} are 1 or more")
        if self.qps[0] > self.qps[1]:
            raise ValueError(f"QPs {self.qps} are the least and the most")


def _silence(convolution: nn.Conv2d) -> None:
    """Have a convolution begin as one that adds nothing."""
    assert convolution.bias is not None
    nn.init.zeros_(convolution.weight)
    nn.init.zeros_(convolution.bias)


class _Block(nn.Module):
    """What two convolutions add to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        _silence(self.second)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(functional.relu(self.first(x)))
        return x + change


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Block(channels) for _ in range(count)))


class PostFilterNetwork(nn.Module):
    """Makes decoded pictures more like those that were coded."""

    def __init__(self, configuration: PostFilterConfiguration = PostFilterConfiguration()) -> None:
        super().__init__()
        self.configuration = configuration
        fine, middle, coarse = configuration.channels
        samples = 3 * _FIRST**2
        entering = 3 if configuration.enlarging else samples
        self.enter = nn.Conv2d(entering, fine, 3, padding=1)
        self.told = nn.Linear(1, fine, bias=False)
        nn.init.zeros_(self.told.weight)
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.down = _blocks(middle, configuration.blocks[1])
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.bottom = _blocks(coarse, configuration.blocks[2])
        self.from_coarse = nn.Conv2d(coarse, 4 * middle, 1)
        self.up = _blocks(middle, configuration.blocks[1])
        self.from_middle = nn.Conv2d(middle, 4 * fine, 1)
        self.last = _blocks(fine, configuration.blocks[0])
        self.leave = nn.Conv2d(fine, samples, 3, padding=1)
        _silence(self.leave)

    def forward(self, picture: Tensor, qp: Tensor) -> Tensor:
        """Decoded RGB pictures [B, 3, H, W] in 0..1, sides multiples of `STEP`; the same filtered.

        `qp` [B] is by which quantisation parameter each is coded. What comes back is twice as wide
        and as high, if the network enlarges, and not clipped to 0..1.
        """
        return self.unfiltered(picture) + self.change(picture, qp)

    def unfiltered(self, picture: Tensor) -> Tensor:
        """Decoded pictures in the size of what comes out."""
        if not self.configuration.enlarging:
            return picture
        return functional.interpolate(
            picture, scale_factor=_FIRST, mode="bicubic", align_corners=False
        )

    def change(self, picture: Tensor, qp: Tensor) -> Tensor:
        """What the network adds to `unfiltered`; arguments as of `forward`."""
        enlarging = self.configuration.enlarging
        samples = picture if enlarging else functional.pixel_unshuffle(picture, _FIRST)
        told = (qp.clamp(*self.configuration.qps) - _MIDDLE_QP) / _QP_RANGE
        moved = self.told(told[:, None])[..., None, None]
        fine = functional.relu(self.enter(samples) + moved)
        middle = self.down(functional.relu(self.to_middle(fine)))
        coarse = self.bottom(functional.relu(self.to_coarse(middle)))
        middle = self.up(middle + functional.pixel_shuffle(self.from_coarse(coarse), 2))
        fine = self.last(fine + functional.pixel_shuffle(self.from_middle(middle), 2))
        return functional.pixel_shuffle(self.leave(fine), _FIRST)


def _three(numbers: Any) -> tuple[int, int, int]:
    first, second, third = (int(number) for number in numbers)
    return first, second, third


def _two(numbers: Any) -> tuple[int, int]:
    first, second = (int(number) for number in numbers)
    return first, second


def load_post_filter(path: Path) -> PostFilterNetwork:
    """The network with the weights of a file that training wrote, in evaluation mode.

    Raises:
        CheckpointError: the file is missing, damaged, or of another network.
    """
    try:
        check_tensor_file(path, MAX_TENSOR_FILE)
        with safe_open(path, framework="pt") as file:
            given = json.loads((file.metadata() or {})["configuration"])
            configuration = PostFilterConfiguration(
                _three(given["channels"]),
                _three(given["blocks"]),
                bool(given["enlarging"]),
                _two(given["qps"]),
            )
            network = PostFilterNetwork(configuration)
            network.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()})  # noqa: SIM118 - no dictionary
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: no weights of the post-filter ({error})") from None
    return network.eval().requires_grad_(False)
