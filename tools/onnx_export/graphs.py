"""Networks as graphs, one for each step: what that is of the published ones, and writing them.

    analyse   picture ──► parameters                                     once per picture
    prepare   key picture ──► features of the source                     once per key picture
    animate   features, parameters of key and driven picture ──► picture

Pictures are float32 [1, 3, 256, 256] in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from models.errors import ModelError, first_line
from models.onnx_graph import OnnxGraph
from models.published.cfte.network import Cfte, CfteSource
from models.published.fomm.network import Fomm, FommKeypoints, FommSource
from models.published.fv2v.network import Fv2v, Fv2vSource
from tools.onnx_export.comparison import Comparison, compare
from tools.onnx_export.writing import write_graph
from tools.parity.filling import synthetic_pictures

LIMIT = 1e-3
"""Most that an output may differ from torch's, relative to its largest value or 1."""


@dataclass(frozen=True)
class Step:
    """One graph to write.

    Attributes:
        name: of the file, without its ending.
        module: computes it.
        inputs: by name, made up, of the right shapes.
        outputs: their names.
        expected: the outputs for these inputs, by torch.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: list[str]
    expected: list[Tensor]


class _Calling(nn.Module):
    """A function of tensors as a module, which owns the network that the function uses."""

    def __init__(self, network: nn.Module, function: Callable[..., tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.network = network
        self.function = function

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self.function(*inputs)


def sample_pictures(size: int = 256) -> tuple[Tensor, Tensor]:
    """A key and a driven picture [1, 3, size, size] in 0..1; size is a divisor of 256."""
    step = 256 // size
    pictures = torch.from_numpy(synthetic_pictures()[:2, :, ::step, ::step] / 255)
    return pictures[:1].float(), pictures[1:].float()


def export_steps(steps: Iterable[Step], folder: Path) -> list[Comparison]:
    """Write each step as a graph into a folder, and compare its outputs with torch's.

    A graph that the exporter or onnxruntime cannot make or run is a row that says so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [row for step in steps for row in _export_step(step, folder / f"{step.name}.onnx")]


def _export_step(step: Step, path: Path) -> list[Comparison]:
    try:
        write_graph(step.module, step.inputs, step.outputs, path)
    except (torch.onnx.OnnxExporterError, ValueError) as error:
        return [Comparison(path.name, 0, 0, f"not exported: {first_line(error)}")]
    try:
        found = OnnxGraph(path).run({name: values.numpy() for name, values in step.inputs.items()})
    except ModelError as error:
        return [Comparison(path.name, 0, 0, f"not run: {first_line(error)}")]
    return [
        compare(
            f"{path.name} {name}",
            expected.numpy(),
            found[name],
            LIMIT * max(1.0, float(expected.abs().max())),
        )
        for name, expected in zip(step.outputs, step.expected, strict=True)
    ]


def make_step(
    name: str,
    network: nn.Module,
    function: Callable[..., tuple[Tensor, ...]],
    inputs: Mapping[str, Tensor],
    outputs: list[str],
) -> Step:
    """A step that is a function of tensors, with the outputs that it has by torch.

    Args:
        name: of the graph's file, without its ending.
        network: whose weights the function uses; shared, not copied.
        function: of the inputs by position.
        inputs: by name, made up, of the right shapes.
        outputs: names of what the function returns.
    """
    module = _Calling(network, function).eval()
    with torch.no_grad():
        expected = [output.clone() for output in module(*inputs.values())]
    return Step(name, module, dict(inputs), outputs, expected)


def fomm_steps(network: Fomm, key: Tensor, driven: Tensor) -> list[Step]:
    """The steps of FOMM in evaluation mode, on two pictures [1, 3, H, W]."""
    detector, generator = network.kp_detector, network.generator

    def analyse(picture: Tensor) -> tuple[Tensor, ...]:
        found: FommKeypoints = detector(picture)
        return found.positions, found.jacobians

    def prepare(picture: Tensor) -> tuple[Tensor, ...]:
        source = generator.encode_source(picture)
        return source.features, source.reduced

    def animate(
        features: Tensor,
        reduced: Tensor,
        key_positions: Tensor,
        key_jacobians: Tensor,
        positions: Tensor,
        jacobians: Tensor,
    ) -> tuple[Tensor, ...]:
        return (
            generator.animate(
                FommSource(features, reduced),
                FommKeypoints(key_positions, key_jacobians),
                FommKeypoints(positions, jacobians),
            ),
        )

    parameters = ["positions", "jacobians"]
    source = ["features", "reduced"]
    analysed = make_step("analyse", detector, analyse, {"picture": driven}, parameters)
    prepared = make_step("prepare", generator, prepare, {"picture": key}, source)
    with torch.no_grad():
        of_key = dict(zip(["key_positions", "key_jacobians"], analyse(key), strict=True))
    inputs = {
        **dict(zip(source, prepared.expected, strict=True)),
        **of_key,
        **dict(zip(parameters, analysed.expected, strict=True)),
    }
    return [analysed, prepared, make_step("animate", generator, animate, inputs, ["prediction"])]


def cfte_steps(network: Cfte, key: Tensor, driven: Tensor) -> list[Step]:
    """The steps of CFTE in evaluation mode, on two pictures [1, 3, H, W]."""
    extractor, generator = network.kp_detector, network.generator

    def analyse(picture: Tensor) -> tuple[Tensor, ...]:
        return (extractor(picture),)

    def prepare(picture: Tensor) -> tuple[Tensor, ...]:
        source = generator.encode_source(picture)
        return source.features, source.motion_picture

    def animate(
        features: Tensor, motion_picture: Tensor, key_feature: Tensor, feature: Tensor
    ) -> tuple[Tensor, ...]:
        return (generator.animate(CfteSource(features, motion_picture), key_feature, feature),)

    source = ["features", "motion_picture"]
    analysed = make_step("analyse", extractor, analyse, {"picture": driven}, ["feature"])
    prepared = make_step("prepare", generator, prepare, {"picture": key}, source)
    with torch.no_grad():
        of_key = extractor(key)
    inputs = {
        **dict(zip(source, prepared.expected, strict=True)),
        "key_feature": of_key,
        "feature": analysed.expected[0],
    }
    return [analysed, prepared, make_step("animate", generator, animate, inputs, ["prediction"])]


def fv2v_steps(network: Fv2v, key: Tensor, driven: Tensor) -> list[Step]:
    """The steps of FV2V in evaluation mode, on two pictures [1, 3, H, W]."""
    detector, estimator, generator = network.kp_detector, network.he_estimator, network.generator

    def analyse(picture: Tensor) -> tuple[Tensor, ...]:
        pose = estimator(picture).pose()
        return pose.rotation, pose.translation, pose.expression

    def canonical(picture: Tensor) -> tuple[Tensor, ...]:
        return (detector(picture),)

    def prepare(picture: Tensor) -> tuple[Tensor, ...]:
        source = generator.encode_source(picture)
        return source.volume, source.compressed

    def animate(
        volume: Tensor, compressed: Tensor, key_keypoints: Tensor, keypoints: Tensor
    ) -> tuple[Tensor, ...]:
        return (generator.animate(Fv2vSource(volume, compressed), key_keypoints, keypoints),)

    source = ["volume", "compressed"]
    pose = ["rotation", "translation", "expression"]
    analysed = make_step("analyse", estimator, analyse, {"picture": driven}, pose)
    found = make_step("canonical", detector, canonical, {"picture": key}, ["keypoints"])
    prepared = make_step("prepare", generator, prepare, {"picture": key}, source)
    with torch.no_grad():
        poses = [estimator(picture).pose() for picture in (key, driven)]
        keypoints = [pose.keypoints(found.expected[0]) for pose in poses]
    inputs = {
        **dict(zip(source, prepared.expected, strict=True)),
        "key_keypoints": keypoints[0],
        "keypoints": keypoints[1],
    }
    drawn = make_step("animate", generator, animate, inputs, ["prediction"])
    return [analysed, found, prepared, drawn]


def _export(
    steps: Callable[..., list[Step]], network: nn.Module, folder: Path, source: str, size: int = 256
) -> list[Comparison]:
    """Write the graphs of a network, cut into steps, and compare them with torch."""
    return export_steps(steps(network.requires_grad_(False), *sample_pictures(size)), folder)


export_fomm = partial(_export, fomm_steps)
export_cfte = partial(_export, cfte_steps)
export_fv2v = partial(_export, fv2v_steps)
