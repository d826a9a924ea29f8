"""CFTE's arrays of a parity pack."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from models.published.cfte.configuration import CFTE_CONVENTIONS
from models.published.cfte.network import Cfte, DenseFlow, build
from tools.parity.observations import Observations, Vector, code, recorded
from tools.parity.pack import Scenario
from tools.parity.weights import copies, load_weights, unallocated

QUANTISATION_FACTOR = 4
_MOTION = "generator.dense_motion_network"


def _vector(feature: Tensor) -> Vector:
    values: Vector = feature.flatten().numpy().astype(np.float64)
    return values


def _feature(vector: Vector) -> Tensor:
    return torch.from_numpy(vector.astype(np.float32)).view(1, 1, 4, 4)


def _analyse(network: Cfte, pictures: Tensor, observations: Observations) -> list[Tensor]:
    found = []
    layers = ["gdn1", "gdn2", "gdn3"]
    with recorded(network.kp_detector, layers) as seen:
        for name, picture in zip(("src", "drv", "drv2"), pictures, strict=True):
            feature: Tensor = network.kp_detector(picture[None])
            observations.add(f"{name}.feature", feature)
            for layer in layers:
                observations.add(f"{name}.{layer}", seen[layer])
            found.append(feature)
    return found


def observe(weights: Mapping[str, Tensor], pictures: Tensor, scenario: Scenario) -> Observations:
    """Run CFTE on the test pictures [3, 3, 256, 256] in 0..1.

    Args:
        weights: state dictionary of `Cfte`.
        pictures: source, driving, second driving.
        scenario: what else to render.
    """
    observations = Observations(zero_flow=True)
    network = load_weights(unallocated(Cfte), weights)
    source, driving, second = _analyse(network, pictures, observations)

    generator = network.generator
    motion_network = generator.dense_motion_network
    watched = [
        "generator.first",
        "generator.bottleneck",
        f"{_MOTION}.motiondown_blocks",
        f"{_MOTION}.bottleneck",
        f"{_MOTION}.hourglass",
        _MOTION,
    ]
    with recorded(network, watched) as seen:
        cache = generator.encode_source(pictures[:1])
        observations.add_picture("pred_float", generator.animate(cache, source, driving))
    motion: DenseFlow = seen[_MOTION]
    sparse_flow = motion_network.sparse_flow(seen[f"{_MOTION}.motiondown_blocks"])
    difference = motion_network.feature_difference(source, driving)
    observations.add("mid.first", seen["generator.first"], "bcyx")
    observations.add("mid.encoded", cache.features, "bcyx")
    observations.add("mid.sparse_motion", sparse_flow)
    observations.add("mid.motion_bottleneck_out", seen[f"{_MOTION}.bottleneck"], "bcyx")
    observations.add("mid.sparse_deformed", cache.motion_picture, "bcyx")
    observations.add("mid.heatmap_difference", difference, "bcyx")
    observations.add("mid.hourglass_out", seen[f"{_MOTION}.hourglass"], "bcyx")
    observations.add("mid.deformation", motion.flow, "byxp")
    observations.add("mid.occlusion_map", motion.occlusion, "bcyx")
    observations.add("mid.bottleneck_out", seen["generator.bottleneck"], "bcyx")
    observations.add("mid.deformed_image", generator.warp_picture(pictures[:1], motion), "bcyx")

    if scenario.feature_maps is not None:
        maps = torch.from_numpy(scenario.feature_maps)[:, None]
        observations.add("farneback.flow", motion_network.sparse_flow(maps.float()))

    vectors = _vector(driving), _vector(second)
    coded = code(observations, _vector(source), vectors, QUANTISATION_FACTOR, scenario)
    for name, vector in coded.items():
        decoded = _feature(vector)
        observations.add(f"codec.{name}.decoded_feature", decoded)
        with recorded(network, [_MOTION]) as seen:
            picture = generator.animate(cache, source, decoded)
        if name != "f3":
            observations.add_picture(f"pred_quant_{name}", picture)
            continue
        observations.add_picture("pred_symbols_f3", picture)
        observations.add("f3.sparse_motion", sparse_flow)
        observations.add("f3.deformation", seen[_MOTION].flow)
        observations.add("f3.occlusion_map", seen[_MOTION].occlusion)
        for variant, copy in copies(build, scenario.variants, CFTE_CONVENTIONS, weights):
            picture = copy.generator(pictures[:1], source, decoded)
            observations.add_picture(f"variant_{variant}_f3", picture)
    return observations
