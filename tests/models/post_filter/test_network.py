"""The network of the post-filter, and its file of weights."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.card import NetworkCard
from models.errors import CheckpointError
from models.post_filter.card import CARDS
from models.post_filter.network import (
    PostFilterConfiguration,
    PostFilterNetwork,
    load_post_filter,
)
from models.training.saved import export_weights

SMALL = PostFilterConfiguration((4, 6, 8), (1, 1, 2))


def test_learning_begins_where_nothing_is_changed() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 40, 24)
    with torch.inference_mode():
        assert (PostFilterNetwork(SMALL)(picture) - picture).abs().max() == 0


def test_learning_to_enlarge_begins_where_it_is_interpolation() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 40, 24)
    network = PostFilterNetwork(replace(SMALL, enlarging=True))
    with torch.inference_mode():
        enlarged = network(picture)
    assert enlarged.shape == (2, 3, 80, 48)
    bicubic = torch.nn.functional.interpolate(picture, scale_factor=2, mode="bicubic")
    assert (enlarged - bicubic).abs().max() < 1e-6
    assert (network.change(picture)).abs().max() == 0


@pytest.mark.parametrize("numbers", [{"channels": (0, 6, 8)}, {"blocks": (1, 1, 0)}])
def test_a_network_has_some_of_everything(numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="are 1 or more"):
        PostFilterConfiguration(**numbers)


def test_a_file_says_whether_it_enlarges(tmp_path: Path) -> None:
    given = replace(SMALL, enlarging=True)
    metadata = {"configuration": json.dumps(asdict(given))}
    export_weights(PostFilterNetwork(given), metadata, tmp_path / "weights.safetensors")
    assert load_post_filter(tmp_path / "weights.safetensors").configuration == given


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = PostFilterNetwork(SMALL)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.05)
    path = tmp_path / "weights.safetensors"
    metadata = {"configuration": '{"channels": [4, 6, 8], "blocks": [1, 1, 2]}'}
    export_weights(network, metadata, path)
    loaded = load_post_filter(path)
    assert loaded.configuration == SMALL
    pictures = torch.rand(2, 3, 16, 24)
    with torch.inference_mode():
        assert (network(pictures) - loaded(pictures)).abs().max() < 0.01
        assert (network(pictures) - pictures).abs().max() > 0.05


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"configuration": "[]"},
        {"configuration": '{"channels": [4, 6], "blocks": [1, 1, 2]}'},
        {"configuration": '{"channels": [4, 6, 8], "blocks": [1, 1, 3]}'},
        {"configuration": '{"channels": [0, 6, 8], "blocks": [1, 1, 2]}'},
    ],
)
def test_files_of_other_networks_are_refused(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(PostFilterNetwork(SMALL).state_dict(), path, metadata)
    with pytest.raises(CheckpointError, match="no weights of the post-filter"):
        load_post_filter(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="none: no weights of the post-filter"):
        load_post_filter(tmp_path / "none")


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_what_ships_is_what_its_card_says(card: NetworkCard) -> None:
    assert card.path is not None
    assert card.altered_file() is None
    assert card.training
    assert card.limits
    network = load_post_filter(card.path)
    assert network.configuration.enlarging is (card.name == "enlarging-filter")
