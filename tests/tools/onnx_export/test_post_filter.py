"""The graph of the post-filter computes what the network does, in any size."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from models.card import NetworkCard
from models.onnx_graph import OnnxGraph
from models.post_filter.card import CARDS, ENLARGING_CARD
from models.post_filter.network import PostFilterConfiguration, PostFilterNetwork
from models.training.saved import export_weights
from tools.onnx_export.__main__ import main
from tools.onnx_export.post_filter import Filter


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_a_trained_file_becomes_a_graph(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], card: NetworkCard
) -> None:
    torch.manual_seed(0)
    enlarging = card is ENLARGING_CARD
    configuration = PostFilterConfiguration((4, 8, 8), (1, 1, 1), enlarging)
    network = PostFilterNetwork(configuration)
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.03)
    weights = tmp_path / "weights.safetensors"
    metadata = {"configuration": json.dumps(asdict(configuration))}
    export_weights(network, metadata, weights)
    [(name, _)] = card.graphs
    words = [card.name, "--weights", str(weights), "--out", str(tmp_path / "graphs")]
    assert main(words) == 0
    assert f"{name}, 256x256" in capsys.readouterr().out
    graph = OnnxGraph(tmp_path / "graphs" / name)
    for height, width in ((64, 64), (40, 136)):
        picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        smooth = picture // 8 + 100
        shown = []
        for qp in np.array([[25], [40]], np.float32):
            with torch.inference_mode():
                pair = torch.from_numpy(smooth), torch.from_numpy(qp)
                expected = Filter(network).eval()(*pair).numpy()
            shown.append(graph.run({"picture": smooth, "qp": qp})["filtered"])
            assert shown[-1].shape == ((1 + enlarging) * height, (1 + enlarging) * width, 3)
            assert np.abs(shown[-1].astype(int) - expected).max() <= 1
        assert not np.array_equal(shown[0], shown[1])


def test_a_file_of_another_network_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    words = ["post-filter", "--weights", str(tmp_path / "other.safetensors")]
    assert main([*words, "--out", str(tmp_path)]) == 1
    assert "other.safetensors: not a safetensors file that can be read" in capsys.readouterr().err
