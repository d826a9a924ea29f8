from __future__ import annotations

import pytest
import torch

from models.training.losses import (
    discriminator_loss,
    element_bits,
    feature_matching,
    gradient_loss,
    rate_loss,
    ssim_loss,
    weighted_l1,
)


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    first = torch.rand(1, 3, 64, 64, generator=generator)
    return first, (first + 0.1 * torch.rand(1, 3, 64, 64, generator=generator)).clamp(0, 1)


@pytest.mark.parametrize("loss", [gradient_loss, ssim_loss])
def test_equal_pictures_lose_nothing_and_others_do(loss: object) -> None:
    assert callable(loss)
    first, second = pictures()
    assert float(loss(first, first)) == pytest.approx(0.0, abs=1e-5)
    assert float(loss(first, second)) > 0.01


def test_importance_weighs_the_difference() -> None:
    picture, target = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    assert float(weighted_l1(picture, target, None)) == 1.0
    assert float(weighted_l1(picture, target, torch.full((1, 1, 4, 4), 3.0))) == 3.0


def test_hinge_stops_beyond_the_margin() -> None:
    assert float(discriminator_loss(torch.tensor([2.0]), torch.tensor([-2.0]))) == 0.0
    assert float(discriminator_loss(torch.tensor([0.0]), torch.tensor([0.0]))) == 2.0


def test_features_are_compared_layer_by_layer() -> None:
    layers = [torch.zeros(2), torch.ones(3)]
    assert float(feature_matching(layers, [torch.ones(2), torch.ones(3)])) == 1.0


# Whole part ue(v), fraction ue(v), a sign unless zero; precision factor 2.
@pytest.mark.parametrize(
    ("steps", "bits"),
    [(0, 1 + 1), (1, 1 + 3 + 1), (-3, 1 + 5 + 1), (4, 3 + 1 + 1), (-7, 3 + 5 + 1)],
)
def test_bits_are_those_of_the_syntax(steps: int, bits: int) -> None:
    assert float(element_bits(torch.tensor([float(steps)]), 2)) == bits


def test_the_rate_is_real_and_has_a_gradient() -> None:
    steps = torch.tensor([[2.0, 0.0]], requires_grad=True)
    loss = rate_loss(steps, 8)
    assert float(loss.detach()) == (1 + 3 + 1) + 2
    loss.backward()  # type: ignore[no-untyped-call]
    assert steps.grad is not None
    assert float(steps.grad[0, 0]) > 0
