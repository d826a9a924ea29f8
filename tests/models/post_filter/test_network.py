"""The network of the post-filter, and its file of weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.errors import CheckpointError
from models.post_filter.card import CARD
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


@pytest.mark.parametrize("numbers", [{"channels": (0, 6, 8)}, {"blocks": (1, 1, 0)}])
def test_a_network_has_some_of_everything(numbers: dict[str, tuple[int, int, int]]) -> None:
    with pytest.raises(ValueError, match="are 1 or more"):
        PostFilterConfiguration(**numbers)


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


def test_what_ships_is_what_its_card_says() -> None:
    assert CARD.path is not None
    assert CARD.altered_file() is None
    assert CARD.training
    assert CARD.limits
    network = load_post_filter(CARD.path)
    assert network.configuration == PostFilterConfiguration()
