"""What steps of any training have in common: the course of rates, and the average of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from models.errors import TrainingError


def learning_rate_share(step: int, progress: float, warm_up: int, final: float) -> float:
    """Warm-up over some steps, then half a cosine from 1 to `final` as progress goes 0 to 1."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return min(1.0, (step + 1) / max(warm_up, 1)) * (final + (1 - final) * cosine)


def set_rates(highest: Mapping[Optimizer, float], share: float) -> None:
    """Give optimisers a share of the highest learning rate of each."""
    for optimiser, rate in highest.items():
        for group in optimiser.param_groups:
            group["lr"] = rate * share


def to_channels_last(network: nn.Module) -> nn.Module:
    """Lay out the weights of 2-D convolutions as the CPU and CUDA like them; others stay."""
    for weight in network.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return network


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of a network's weights and buffers; early steps count more.

    It draws better than the network itself. `n_averaged` counts the first weights as a step.
    """

    def average(averaged: Sequence[Tensor], current: Sequence[Tensor], steps: Tensor | int) -> None:
        if averaged[0].is_floating_point():
            share = 1 - min(decay, int(steps) / (int(steps) + 20))
            torch._foreach_lerp_(list(averaged), list(current), share)
        else:
            torch._foreach_copy_(list(averaged), list(current))

    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    averaged.eval().requires_grad_(False)
    averaged.n_averaged.fill_(1)
    return averaged


def diverged(step: int) -> TrainingError:
    """What is told when a loss is infinite or no number."""
    return TrainingError(
        f"step {step}: the loss is no number any more; go on from the last state "
        "(--resume) with a lower --learning-rate"
    )
