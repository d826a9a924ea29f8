"""The graphs of the face network compute what the network does."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from shutil import copytree

import numpy as np
import onnx
import pytest
import torch

from models.errors import CheckpointError, ModelError
from models.face.blocks import FaceConfiguration
from models.face.onnx_rendering import (
    DRAW_FILE,
    ENCODE_KEY_FILE,
    PAINT_BETWEEN_FILE,
    OnnxRenderer,
)
from models.family import FAMILIES
from models.files import file_sha256
from models.onnx_graph import OnnxGraph
from models.training.saved import export_weights
from tests.models.face.networks import trained_alike
from tools.onnx_export.__main__ import main
from tools.onnx_export.face import (
    check_face,
    export,
    export_face,
    export_in_eight_bits,
    sample_inputs,
)

SIZE = 64
TINY = FaceConfiguration(
    channels=(6, 8, 10), motion_channels=4, bottleneck_blocks=1, compact_features=2
)


@pytest.fixture(scope="module")
def floats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graphs of the tiny network with whole weights; beside them, in `halves`, as they ship."""
    folder = tmp_path_factory.mktemp("graphs") / "floats"
    export_face(trained_alike(TINY), folder.with_name("halves"), folder, "some hash", SIZE)
    return folder


@pytest.fixture(scope="module")
def graphs(floats: Path) -> Path:
    return floats.with_name("halves")


def test_the_graphs_agree_with_torch(graphs: Path) -> None:
    results = check_face(trained_alike(TINY), graphs, SIZE)
    assert [result.graph for result in results] == ["draw.onnx", "analyse.onnx"]
    assert all(result.ok for result in results)


def test_other_weights_are_noticed(graphs: Path) -> None:
    other = trained_alike(TINY)
    torch.nn.init.normal_(other.out.weight)
    drawn, analysed = check_face(other, graphs, SIZE)
    assert not drawn.ok
    assert analysed.ok


def test_the_compact_feature_matters_and_may_be_left_out(graphs: Path) -> None:
    sample = {
        name: values.numpy() for name, values in sample_inputs(trained_alike(TINY), SIZE).items()
    }
    draw = OnnxRenderer(graphs, device="cpu").prepare(sample["key"], sample["key_landmarks"])
    without = draw(sample["landmarks"], sample["flow"])
    zeros = draw(sample["landmarks"], sample["flow"], np.zeros(2, np.float32))
    other = draw(sample["landmarks"], sample["flow"], np.full(2, 60, np.float32))
    assert without.shape == (SIZE, SIZE, 3)
    assert without.dtype == np.uint8
    assert np.array_equal(without, zeros)
    assert not np.array_equal(without, other)


def test_files_say_which_weights_they_hold(graphs: Path) -> None:
    for path in sorted(graphs.glob("*.onnx")):
        assert OnnxGraph(path).metadata["weights"] == "some hash"


def test_hashes_are_checked(graphs: Path) -> None:
    hashes = {name: file_sha256(graphs / name) for name in (ENCODE_KEY_FILE, DRAW_FILE)}
    assert OnnxRenderer(graphs, hashes).size == SIZE
    wrong = OnnxRenderer(graphs, {**hashes, DRAW_FILE: hashes[ENCODE_KEY_FILE]})
    with pytest.raises(CheckpointError, match="sha256 is"):
        _ = wrong.compact_features


def test_pictures_of_another_size_are_refused(graphs: Path) -> None:
    renderer = OnnxRenderer(graphs)
    with pytest.raises(ModelError, match="64x64, not 96x64"):
        renderer.prepare(np.zeros((64, 96, 3), np.uint8), np.zeros((478, 2), np.float32))


FUSING = replace(TINY, compact_features=0, fusing_channels=4)


def test_the_command_exports_and_checks_graphs_of_two_references_in_8_bits_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(FAMILIES["face"], onnx=partial(export, size=128))
    monkeypatch.setitem(FAMILIES, "face", row)
    weights, out = tmp_path / "weights.safetensors", tmp_path / "out"
    network = trained_alike(FUSING)
    export_weights(network, {"configuration": json.dumps(asdict(FUSING))}, weights)
    assert main(["face", "--weights", str(weights), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    rows = [line.split("  ")[0] for line in text.splitlines()]
    assert rows[:5] == [
        "graph",
        DRAW_FILE,
        PAINT_BETWEEN_FILE,
        f"{DRAW_FILE}, 8 bits, root mean square",
        f"{PAINT_BETWEEN_FILE}, 8 bits, root mean square",
    ]
    assert file_sha256(out / DRAW_FILE) in text
    drawn = onnx.load(out / DRAW_FILE)
    assert [entry.key for entry in drawn.metadata_props] == ["weights"]
    assert OnnxRenderer(out).fuses
    torch.nn.init.normal_(network.fusing.out.weight)  # type: ignore[union-attr] # it has one
    _, between = check_face(network, out, 128)
    assert not between.ok
    assert main(["face", "--weights", str(tmp_path / "none"), "--out", str(out)]) == 1
    assert "not a safetensors file" in capsys.readouterr().err


def test_convolutions_are_drawn_in_8_bits_that_no_processor_saturates(
    graphs: Path, floats: Path, tmp_path: Path
) -> None:
    copytree(graphs, tmp_path, dirs_exist_ok=True)
    (row,) = export_in_eight_bits(trained_alike(TINY), tmp_path, floats, "some hash", SIZE)
    assert row.ok
    graph = onnx.load(tmp_path / DRAW_FILE).graph
    makers = {output: node for node in graph.node for output in node.output}
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    exact = 0
    for node in (node for node in graph.node if node.op_type == "Conv"):
        if node.input[1] in tensors or makers[node.input[1]].op_type == "Cast":
            exact += 1
            continue
        assert makers[node.input[0]].op_type == "DequantizeLinear"
        weights = tensors[makers[node.input[1]].input[0]]
        assert weights.dtype == np.int8
        # Two products of a byte with these fit into 16 bits.
        assert np.abs(weights.astype(int)).max() <= 64
    assert exact == 3


def test_a_graph_that_draws_otherwise_in_8_bits_is_told(
    graphs: Path, floats: Path, tmp_path: Path
) -> None:
    network = trained_alike(TINY)
    torch.nn.init.normal_(network.out.weight, std=30)
    model = onnx.load(floats / DRAW_FILE)
    (last,) = (each for each in model.graph.initializer if each.name == "network.out.weight")
    weights = network.out.weight.detach().numpy()
    last.CopyFrom(onnx.numpy_helper.from_array(weights, last.name))
    # As an export of this network would be, which takes longer.
    changed = copytree(floats, tmp_path / "floats")
    onnx.save(model, changed / DRAW_FILE)
    halves = copytree(graphs, tmp_path / "halves")
    (row,) = export_in_eight_bits(network, halves, changed, "some hash", SIZE)
    assert not row.ok
    assert row.error > row.limit
