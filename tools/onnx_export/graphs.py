"""Analysis and synthesis of the published networks, each step as a graph of its own.

    analyse   picture ──► parameters                                     once per picture
    prepare   key picture ──► features of the source                     once per key picture
    animate   features, parameters of key and driven picture ──► picture

Pictures are float32 [1, 3, 256, 256] in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.published.cfte.network import Cfte, CfteSource
from models.published.fomm.network import Fomm, FommKeypoints, FommSource
from models.published.fv2v.network import Fv2v, Fv2vSource


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


def steps_of(network: nn.Module, key: Tensor, driven: Tensor) -> list[Step]:
    """The steps of a network in evaluation mode, on two pictures [1, 3, H, W].

    A step's module shares its weights with the network.
    """
    if isinstance(network, Fomm):
        return _fomm(network, key, driven)
    if isinstance(network, Cfte):
        return _cfte(network, key, driven)
    assert isinstance(network, Fv2v)
    return _fv2v(network, key, driven)


def _step(
    name: str,
    network: nn.Module,
    function: Callable[..., tuple[Tensor, ...]],
    inputs: Mapping[str, Tensor],
    outputs: list[str],
) -> Step:
    module = _Calling(network, function).eval()
    with torch.no_grad():
        expected = [output.clone() for output in module(*inputs.values())]
    return Step(name, module, dict(inputs), outputs, expected)


def _fomm(network: Fomm, key: Tensor, driven: Tensor) -> list[Step]:
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
    analysed = _step("analyse", detector, analyse, {"picture": driven}, parameters)
    prepared = _step("prepare", generator, prepare, {"picture": key}, source)
    with torch.no_grad():
        of_key = dict(zip(["key_positions", "key_jacobians"], analyse(key), strict=True))
    inputs = {
        **dict(zip(source, prepared.expected, strict=True)),
        **of_key,
        **dict(zip(parameters, analysed.expected, strict=True)),
    }
    return [analysed, prepared, _step("animate", generator, animate, inputs, ["prediction"])]


def _cfte(network: Cfte, key: Tensor, driven: Tensor) -> list[Step]:
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
    analysed = _step("analyse", extractor, analyse, {"picture": driven}, ["feature"])
    prepared = _step("prepare", generator, prepare, {"picture": key}, source)
    with torch.no_grad():
        of_key = extractor(key)
    inputs = {
        **dict(zip(source, prepared.expected, strict=True)),
        "key_feature": of_key,
        "feature": analysed.expected[0],
    }
    return [analysed, prepared, _step("animate", generator, animate, inputs, ["prediction"])]


def _fv2v(network: Fv2v, key: Tensor, driven: Tensor) -> list[Step]:
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
    analysed = _step("analyse", estimator, analyse, {"picture": driven}, pose)
    found = _step("canonical", detector, canonical, {"picture": key}, ["keypoints"])
    prepared = _step("prepare", generator, prepare, {"picture": key}, source)
    with torch.no_grad():
        poses = [estimator(picture).pose() for picture in (key, driven)]
        keypoints = [pose.keypoints(found.expected[0]) for pose in poses]
    inputs = {
        **dict(zip(source, prepared.expected, strict=True)),
        "key_keypoints": keypoints[0],
        "keypoints": keypoints[1],
    }
    drawn = _step("animate", generator, animate, inputs, ["prediction"])
    return [analysed, found, prepared, drawn]
