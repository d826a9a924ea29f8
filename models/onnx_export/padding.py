"""Convolutions in the shape that onnxruntime is fast at."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

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
