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

SMALL = PostFilterConfiguration((4, 6, 8), (1, 1, 2), qps=(26, 40))
QPS = torch.tensor([30.0, 36.0])


def test_learning_begins_where_nothing_is_changed() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 40, 24)
    with torch.inference_mode():
        assert (PostFilterNetwork(SMALL)(picture, QPS) - picture).abs().max() == 0


def test_learning_to_enlarge_begins_where_it_is_interpolation() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 40, 24)
    network = PostFilterNetwork(replace(SMALL, enlarging=True))
    with torch.inference_mode():
        enlarged = network(picture, QPS)
    assert enlarged.shape == (2, 3, 80, 48)
    bicubic = torch.nn.functional.interpolate(picture, scale_factor=2, mode="bicubic")
    assert (enlarged - bicubic).abs().max() < 1e-6
    assert (network.change(picture, QPS)).abs().max() == 0


@pytest.mark.parametrize("numbers", [{"channels": (0, 6, 8)}, {"blocks": (1, 1, 0)}])
def test_a_network_has_some_of_everything(numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="are 1 or more"):
        PostFilterConfiguration(**numbers)


def test_a_network_is_told_something() -> None:
    with pytest.raises(ValueError, match="are the least and the most"):
        replace(SMALL, qps=(40, 39))


def metadata_of(configuration: PostFilterConfiguration, **changed: Any) -> dict[str, str]:
    return {"configuration": json.dumps({**asdict(configuration), **changed})}


def random_network(configuration: PostFilterConfiguration) -> PostFilterNetwork:
    torch.manual_seed(1)
    network = PostFilterNetwork(configuration)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.05)
    return network


def test_what_it_is_told_counts_within_what_it_learned() -> None:
    network = random_network(SMALL)
    picture = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        fine, finer, coarse, coarser = (
            network(picture, torch.tensor([qp])) for qp in (26.0, 10.0, 40.0, 60.0)
        )
    assert torch.equal(fine, finer)
    assert torch.equal(coarse, coarser)
    assert (fine - coarse).abs().max() > 1e-4


def test_pictures_are_told_apart() -> None:
    network = random_network(SMALL)
    picture = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        both = network(picture.expand(2, -1, -1, -1), QPS)
        alone = [network(picture, qp[None]) for qp in QPS]
    assert (both - torch.cat(alone)).abs().max() < 1e-5


def test_a_file_says_whether_it_enlarges(tmp_path: Path) -> None:
    given = replace(SMALL, enlarging=True)
    metadata = metadata_of(given)
    export_weights(PostFilterNetwork(given), metadata, tmp_path / "weights.safetensors")
    assert load_post_filter(tmp_path / "weights.safetensors").configuration == given


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    network = random_network(SMALL)
    path = tmp_path / "weights.safetensors"
    export_weights(network, metadata_of(SMALL), path)
    loaded = load_post_filter(path)
    assert loaded.configuration == SMALL
    pictures = torch.rand(2, 3, 16, 24)
    with torch.inference_mode():
        assert (network(pictures, QPS) - loaded(pictures, QPS)).abs().max() < 0.01
        assert (network(pictures, QPS) - pictures).abs().max() > 0.05


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"configuration": "[]"},
        {"configuration": '{"channels": [4, 6, 8], "blocks": [1, 1, 2]}'},
        metadata_of(SMALL, channels=[4, 6]),
        metadata_of(SMALL, blocks=[1, 1, 3]),
        metadata_of(SMALL, channels=[0, 6, 8]),
        metadata_of(SMALL, qps=[30]),
        metadata_of(SMALL, qps=[30, 20]),
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
    least, most = network.configuration.qps
    assert f"quantisation parameters of {least} to {most}" in card.limits
