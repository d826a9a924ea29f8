"""A graph whose convolutions are computed in 8 bits: about half the time of floats.

Weights are whole numbers of a step for each output channel, activations of a step for each tensor.
The steps of activations are found by running the graph on inputs that show what it will meet.
Weights use seven of their eight bits: processors without the instructions for dot products of
bytes would saturate otherwise, and draw something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from models.contract import Float32Array, FloatArray
from models.landmarks.face_space import shipped_face_space
from models.landmarks.flow import coarse_flow, plane
from models.landmarks.head_angles import head_angles, head_rotations
from models.landmarks.layout import POSE_VALUES
from models.landmarks.ranges import ANGLES, EXPRESSION, PLACE
from models.landmarks.values import rest_face
from tools.onnx_export.writing import halve, quiet, save_graph

Inputs = Mapping[str, npt.NDArray[Any]]


def write_in_eight_bits(
    graph: Path,
    inputs: Iterable[Inputs],
    path: Path,
    metadata: Mapping[str, str],
    *,
    exact: Collection[str] = (),
) -> None:
    """Write a graph of floats anew, its convolutions in 8 bits.

    Args:
        graph: its weights are float32.
        inputs: of some runs, by name.
        path: replaced when it is there.
        metadata: texts to keep in the file.
        exact: what the names of weights begin with whose convolutions stay in floats.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc] # the library has no types
        def __init__(self) -> None:
            self._runs: Iterator[Inputs] = iter(inputs)

        def get_next(self) -> Inputs | None:
            return next(self._runs, None)

    kept = [
        node.name
        for node in onnx.load(graph).graph.node
        if node.op_type == "Conv" and node.input[1].startswith(tuple(exact))
    ]
    with TemporaryDirectory() as folder:
        made = Path(folder, "eight-bits.onnx")
        with quiet():  # it recommends what has been done
            quantize_static(
                graph,
                made,
                Reader(),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                weight_type=QuantType.QInt8,
                activation_type=QuantType.QUInt8,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=kept,
            )
        model = onnx.load(made)
    halve(model, {node.input[1] for node in model.graph.node if node.name in kept})
    del model.metadata_props[:]
    helper.set_model_props(model, dict(metadata))
    save_graph(model, path)


def moved_faces(
    landmarks: FloatArray, size: int, count: int
) -> Iterator[tuple[Float32Array, Float32Array]]:
    """Landmarks [478, 2] and flow [2, size, size] of a face [478, 3], moved at random.

    It moves within half of the ranges of `models.landmarks.ranges`, the same on every call.
    """
    generator = np.random.default_rng(1)
    space = shipped_face_space()
    face, key_values = rest_face(space, landmarks)
    for _ in range(count):
        values = key_values.copy()
        angles, place = (limits * generator.uniform(-0.5, 0.5, 3) for limits in (ANGLES, PLACE))
        values[:3] = head_rotations(head_angles(values[None, :3]) + angles)[0]
        values[3:POSE_VALUES] += place
        expression = EXPRESSION * space.spread[: len(EXPRESSION)]
        values[POSE_VALUES:] = expression * generator.uniform(-0.5, 0.5, len(EXPRESSION))
        driven = plane(face.landmarks(space, values))
        yield driven, coarse_flow(plane(face.key_landmarks), driven, size)
