"""Features for the perceptual loss, of weights that do not come with the project."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.errors import TrainingError
from models.training.trunk import TrunkFeatures, load_trunk, trunk_loss


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


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"features.0.weight": torch.zeros(2)}, path)
    with pytest.raises(TrainingError, match=r"wanted are the weights of EfficientNet-Lite0"):
        load_trunk(path)
