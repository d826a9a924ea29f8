from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.training import TrainingError
from models.training.losses import VggFeatures, load_vgg, perceptual_loss


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """A file of VGG-19 as published: all of the fifth block, and a classifier (small here)."""
    torch.manual_seed(0)
    weights = {
        name: 1e-2 * torch.randn(value.shape) for name, value in VggFeatures().state_dict().items()
    }
    for layer in (30, 32, 34):
        weights[f"features.{layer}.weight"] = torch.zeros(1)
        weights[f"features.{layer}.bias"] = torch.zeros(1)
    return {**weights, "classifier.0.weight": torch.zeros(1)}


def test_published_weights_load_and_tell_pictures_apart(
    published: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(published, tmp_path / "vgg19.pth")
    network = load_vgg(tmp_path / "vgg19.pth")
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert torch.equal(network.state_dict()["features.0.weight"], published["features.0.weight"])
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    target = torch.rand(1, 3, 32, 32)
    assert float(perceptual_loss(network, picture.detach(), picture.detach())) == 0.0
    loss = perceptual_loss(network, picture, target)
    assert float(loss.detach()) > 0
    loss.backward()  # type: ignore[no-untyped-call]
    assert picture.grad is not None
    assert float(picture.grad.abs().sum()) > 0


def test_the_layers_are_the_first_of_each_block() -> None:
    with torch.no_grad():
        features = VggFeatures()(torch.rand(1, 3, 32, 32))
    assert [tuple(one.shape[1:]) for one in features] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
        (512, 2, 2),
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("features.28.bias", None, "1 missing: features.28.bias"),
        ("features.28.bias", torch.zeros(3), "of another shape"),
        ("features.36.bias", torch.zeros(3), "left over: features.36.bias"),
    ],
)
def test_another_network_is_refused(
    published: dict[str, Tensor], tmp_path: Path, name: str, value: Tensor | None, message: str
) -> None:
    changed = {**published, name: value}
    torch.save({key: item for key, item in changed.items() if item is not None}, tmp_path / "a.pth")
    with pytest.raises(TrainingError, match=message) as caught:
        load_vgg(tmp_path / "a.pth")
    assert "a.pth" in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\.pth: cannot be read .*VGG-19"):
        load_vgg(tmp_path / "none.pth")
