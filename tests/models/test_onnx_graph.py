"""Loading and running graphs, and what is said when that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.errors import CheckpointError, ModelError
from models.files import file_sha256
from models.onnx_graph import Array, OnnxGraph
from models.runtime import onnx_providers

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


@pytest.fixture(scope="module")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a graph that adds its input [2, 3] to itself."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in "xy"]
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    model = helper.make_model(
        helper.make_graph(nodes, "doubling", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    helper.set_model_props(model, {"weights": "none"})
    path = tmp_path_factory.mktemp("graphs") / "doubling.onnx"
    onnx.save(model, path)
    return path


def test_a_graph_runs(doubling: Path) -> None:
    graph = OnnxGraph(doubling, file_sha256(doubling), threads=1, device="cpu")
    assert graph.inputs == {"x": (2, 3)}
    assert graph.outputs == ["y"]
    assert graph.metadata == {"weights": "none"}
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(graph.run({"x": x})["y"], 2 * x)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"x": np.zeros((2, 2), np.float32)},
        {"x": np.zeros((2, 3), np.float64)},
        {"x": np.zeros((2, 3), np.float32), "z": np.zeros(1, np.float32)},
    ],
    ids=["missing", "shape", "type", "left over"],
)
def test_wrong_inputs_are_one_line(doubling: Path, arrays: dict[str, Array]) -> None:
    graph = OnnxGraph(doubling, device="cpu")
    with pytest.raises(ModelError, match=r"^doubling\.onnx: .+") as caught:
        graph.run(arrays)
    assert "\n" not in str(caught.value)


def test_an_altered_file_is_not_read(doubling: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.onnx"
    altered.write_bytes(doubling.read_bytes() + b"\0")
    with pytest.raises(CheckpointError, match="sha256 is"):
        OnnxGraph(altered, file_sha256(doubling))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing\.onnx: cannot be read"):
        OnnxGraph(tmp_path / "nothing.onnx")


def test_rubbish_is_no_graph(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rubbish.onnx"
    path.write_bytes(b"\x08\xff rubbish")
    with pytest.raises(CheckpointError, match="not a graph that can be run") as caught:
        OnnxGraph(path, device="cpu")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_the_device_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GFVC_DEVICE", raising=False)
    assert onnx_providers([CPU]) == [CPU]
    assert onnx_providers([CUDA, CPU]) == [(CUDA, {"device_id": "0"}), CPU]
    assert onnx_providers([CUDA, CPU], "cpu") == [CPU]
    monkeypatch.setenv("GFVC_DEVICE", "cuda:1")
    assert onnx_providers([CUDA, CPU]) == [(CUDA, {"device_id": "1"}), CPU]
    assert onnx_providers([CUDA, CPU], "cpu") == [CPU]


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0"])
def test_a_device_that_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(ModelError, match=f"device={wanted}: no such device"):
        onnx_providers([CPU], wanted)


class DeadlineError(Exception):
    """What a signal's handler of a caller raises."""


def test_what_a_signal_handler_raises_is_not_the_graphs(
    doubling: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: object, **named: object) -> None:
        raise DeadlineError("too long")

    graph = OnnxGraph(doubling, device="cpu")
    monkeypatch.setattr("onnxruntime.InferenceSession.run", late)
    with pytest.raises(DeadlineError):
        graph.run({"x": np.zeros((2, 3), np.float32)})
    monkeypatch.setattr("onnxruntime.InferenceSession", late)
    with pytest.raises(DeadlineError):
        OnnxGraph(doubling, device="cpu")
