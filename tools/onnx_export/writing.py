"""From a module to an ONNX file, with convolutions in the shape that onnxruntime is fast at."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.files import written_whole
from tools.onnx_export.sampling import replace_sampling

CHANNEL_MULTIPLE = 4
"""onnxruntime's blocked convolutions take input channels of this multiple, and no others."""


def pad_joined_planes(model: onnx.ModelProto) -> None:
    """Let concatenated inputs of a convolution have a multiple of 4 channels.

    Planes of zeros are joined to them, with weights of zero: the result is the same.
    """
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in graph.value_info
    }
    users = [name for node in graph.node for name in node.input]
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in weights:
            continue
        joined = makers.get(node.input[0])
        kernel = numpy_helper.to_array(weights[node.input[1]])
        missing = -kernel.shape[1] % CHANNEL_MULTIPLE
        if (
            not missing
            or kernel.ndim != 4
            or joined is None
            or joined.op_type != "Concat"
            or users.count(node.input[0]) != 1
            or users.count(node.input[1]) != 1
        ):
            continue
        batch, channels, height, width = shapes[node.input[0]]
        if channels != kernel.shape[1]:  # a grouped convolution
            continue
        padded = np.pad(kernel, ((0, 0), (0, missing), (0, 0), (0, 0)))
        weights[node.input[1]].CopyFrom(numpy_helper.from_array(padded, node.input[1]))
        # Made by a node, and not stored: they may be many.
        zeros = f"{node.input[0]}.zeros"
        shape = numpy_helper.from_array(
            np.array([batch, missing, height, width], np.int64), f"{zeros}.shape"
        )
        graph.initializer.append(shape)
        graph.node.insert(0, helper.make_node("ConstantOfShape", [shape.name], [zeros]))
        joined.input.append(zeros)
    # They say the old shapes; whoever loads the graph infers them anew.
    graph.ClearField("value_info")


OPSET = 20
"""Version of the ONNX operators; the first in which volumes can be sampled too."""

# Smaller weights stay as they are: they weigh nothing.
_HALVED_FROM = 256


def write_graph(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    path: Path,
    metadata: Mapping[str, str] | None = None,
    *,
    halved: Path | None = None,
    dynamic: Mapping[str, Mapping[int, Any]] | None = None,
) -> None:
    """Write a module as one file, or as two; shapes are those of the inputs.

    Args:
        module: in evaluation mode; called with the inputs by position, in their order.
        inputs: by name, the arguments to follow the module with.
        outputs: names of what it returns.
        path: replaced when it is there.
        metadata: texts to keep in the file.
        halved: another file of the same, replaced when it is there, whose weights are stored as
            float16; they are made float32 again when loading.
        dynamic: of inputs the dimensions that may differ, each a `torch.export.Dim`; all of them
            or none.
    """
    with warnings.catch_warnings(), quiet("torch.onnx"), torch.no_grad():
        # The exporter calls parts of torch that announce their own end.
        warnings.simplefilter("ignore")
        shapes = None if dynamic is None else tuple(dict(dynamic[name]) for name in inputs)
        exported = torch.export.export(module, tuple(inputs.values()), dynamic_shapes=shapes)
        program = torch.onnx.export(
            replace_sampling(exported),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    pad_joined_planes(graph)
    _forget_sources(graph)
    helper.set_model_props(graph, dict(metadata or {}))
    save_graph(graph, path)
    if halved is not None:
        halve(graph, {name for name, _ in module.named_parameters()})
        save_graph(graph, halved)


def save_graph(graph: onnx.ModelProto, path: Path) -> None:
    """Write a graph, once it is checked; the file is replaced when it is there."""
    onnx.checker.check_model(graph, full_check=True)
    with written_whole(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))


@contextmanager
def quiet(name: str | None = None) -> Iterator[None]:
    """A logger without information and warnings; the root of all without a name."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def halve(model: onnx.ModelProto, weights: Collection[str]) -> None:
    """Store large weights as float16, each followed by a cast; grids must stay exact."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.name not in weights or np.prod(tensor.dims) < _HALVED_FROM:
            continue
        name = tensor.name
        halved = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(halved, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def _forget_sources(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of source files: paths of one machine, and most of the size."""
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    for tensor in model.graph.initializer:
        tensor.ClearField("metadata_props")
