"""What is written in another form for onnxruntime computes the same."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch.nn import functional

from tools.onnx_export.sampling import replace_sampling, sample_by_gathering
from tools.onnx_export.writing import pad_joined_planes


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("channels", [3, 12])
def test_gathering_samples_like_torch(channels: int, align_corners: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    source = torch.rand(1, channels, 6, 9, generator=generator)
    # Well beyond the border on all sides.
    grid = torch.rand(1, 7, 5, 2, generator=generator) * 4 - 2
    grid[0, 0, :4] = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [0.0, 1.0], [1e6, -1e6]])
    wanted = functional.grid_sample(
        source, grid, padding_mode="border", align_corners=align_corners
    )
    found = sample_by_gathering(source, grid, align_corners)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


class _Sampler(torch.nn.Module):
    def __init__(self, padding: str) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, source: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
        return functional.grid_sample(source, grid, padding_mode=self.padding, align_corners=False)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch's exporter of its own parts
@pytest.mark.parametrize(("padding", "left"), [("border", False), ("zeros", True)])
def test_only_sampling_with_the_border_is_replaced(padding: str, left: bool) -> None:
    inputs = (torch.rand(1, 3, 4, 4), torch.rand(1, 2, 2, 2))
    program = replace_sampling(torch.export.export(_Sampler(padding).eval(), inputs))
    assert any("grid_sampler" in str(node.target) for node in program.graph.nodes) == left
    wanted = _Sampler(padding)(*inputs)
    torch.testing.assert_close(program.module()(*inputs), wanted, rtol=0, atol=1e-5)


def _joining(channels: tuple[int, int]) -> onnx.ModelProto:
    """Two inputs [1, C, 4, 4], joined and convolved to 2 channels."""
    weights = np.random.default_rng(0).random((2, sum(channels), 3, 3), np.float32)
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, 4, 4])
        for name, count in zip("ab", channels, strict=True)
    ]
    joined = helper.make_tensor_value_info("joined", TensorProto.FLOAT, [1, sum(channels), 4, 4])
    graph = helper.make_graph(
        [
            helper.make_node("Concat", ["a", "b"], ["joined"], axis=1),
            helper.make_node("Conv", ["joined", "weights"], ["y"], pads=[1, 1, 1, 1]),
        ],
        "joining",
        inputs,
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 4, 4])],
        [numpy_helper.from_array(weights, "weights")],
        value_info=[joined],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_planes_of_zeros_change_nothing() -> None:
    model = _joining((3, 2))
    feeds = {"a": np.full((1, 3, 4, 4), 2, np.float32), "b": np.ones((1, 2, 4, 4), np.float32)}
    (before,) = ReferenceEvaluator(model).run(None, feeds)
    pad_joined_planes(model)
    onnx.checker.check_model(model, full_check=True)
    assert list(model.graph.initializer[0].dims) == [2, 8, 3, 3]
    (after,) = ReferenceEvaluator(model).run(None, feeds)
    np.testing.assert_allclose(np.asarray(after), np.asarray(before), rtol=1e-6)


def test_a_fitting_convolution_stays_as_it_is() -> None:
    model = _joining((3, 5))
    pad_joined_planes(model)
    assert model.graph.node == _joining((3, 5)).graph.node
    assert model.graph.initializer == _joining((3, 5)).graph.initializer
