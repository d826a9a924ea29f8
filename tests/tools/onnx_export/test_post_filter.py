"""The graph of the post-filter computes what the network does, in any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.onnx_graph import OnnxGraph
from models.post_filter.card import GRAPH_FILE
from models.post_filter.network import PostFilterConfiguration, PostFilterNetwork
from models.training.saved import export_weights
from tools.onnx_export.__main__ import main
from tools.onnx_export.post_filter import Filter


def test_a_trained_file_becomes_a_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    network = PostFilterNetwork(PostFilterConfiguration((4, 8, 8), (1, 1, 1)))
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.03)
    weights = tmp_path / "weights.safetensors"
    metadata = {"configuration": '{"channels": [4, 8, 8], "blocks": [1, 1, 1]}'}
    export_weights(network, metadata, weights)
    words = ["post-filter", "--weights", str(weights), "--out", str(tmp_path / "graphs")]
    assert main(words) == 0
    assert f"{GRAPH_FILE}, 256x256" in capsys.readouterr().out
    graph = OnnxGraph(tmp_path / "graphs" / GRAPH_FILE)
    for height, width in ((64, 64), (40, 136)):
        picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        smooth = picture // 8 + 100
        with torch.inference_mode():
            expected = Filter(network).eval()(torch.from_numpy(smooth)).numpy()
        found = graph.run({"picture": smooth})["filtered"]
        assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_file_of_another_network_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    words = ["post-filter", "--weights", str(tmp_path / "other.safetensors")]
    assert main([*words, "--out", str(tmp_path)]) == 1
    assert "other.safetensors: not a safetensors file that can be read" in capsys.readouterr().err
