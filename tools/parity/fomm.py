"""FOMM's arrays of a parity pack."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from models.published.fomm.configuration import FOMM_CONVENTIONS
from models.published.fomm.network import Fomm, FommKeypoints, build
from models.published.layers.motion import DenseMotion
from tools.parity.observations import Observations, Vector, code, recorded
from tools.parity.pack import Scenario
from tools.parity.weights import copies, load_weights, unallocated

QUANTISATION_FACTOR = 64
_MOTION = "generator.dense_motion_network"


def _vector(keypoints: FommKeypoints) -> Vector:
    """Parameter list: all positions, then all Jacobians row by row."""
    parts = [keypoints.positions.flatten(), keypoints.jacobians.flatten()]
    values: Vector = torch.cat(parts).numpy().astype(np.float64)
    return values


def _keypoints(vector: Vector) -> FommKeypoints:
    values = torch.from_numpy(vector.astype(np.float32))
    count = len(values) // 6
    return FommKeypoints(
        values[: 2 * count].view(1, count, 2), values[2 * count :].view(1, count, 2, 2)
    )


def _analyse(network: Fomm, pictures: Tensor, observations: Observations) -> list[FommKeypoints]:
    found = []
    with recorded(network.kp_detector, ["kp", "down"]) as seen:
        for name, picture in zip(("src", "drv", "drv2"), pictures, strict=True):
            keypoints: FommKeypoints = network.kp_detector(picture[None])
            observations.add(f"{name}.kp", keypoints.positions)
            observations.add(f"{name}.jacobian", keypoints.jacobians)
            observations.add(f"{name}.kp_logits_before_temperature", seen["kp"])
            observations.add(f"{name}.down", seen["down"])
            found.append(keypoints)
    return found


def observe(weights: Mapping[str, Tensor], pictures: Tensor, scenario: Scenario) -> Observations:
    """Run FOMM on the test pictures [3, 3, 256, 256] in 0..1.

    Args:
        weights: state dictionary of `Fomm`.
        pictures: source, driving, second driving.
        scenario: what else to render.
    """
    observations = Observations()
    network = load_weights(unallocated(Fomm), weights)
    source, driving, second = _analyse(network, pictures, observations)

    generator = network.generator
    motion_network = generator.dense_motion_network
    watched = ["generator.first", "generator.bottleneck", f"{_MOTION}.hourglass", _MOTION]
    with recorded(network, watched) as seen:
        cache = generator.encode_source(pictures[:1])
        observations.add_picture("pred_float", generator.animate(cache, source, driving))
    motion: DenseMotion = seen[_MOTION]
    size = cache.reduced.shape[2:]
    motions = motion_network.sparse_motions(source, driving, size)
    heatmaps = motion_network.heatmap_differences(source, driving, size)
    deformed = motion_network.deform_source(cache.reduced, motions)
    observations.add("mid.first", seen["generator.first"], "bcyx")
    observations.add("mid.encoded", cache.features, "bcyx")
    observations.add("mid.sparse_motion", motions, "bkyxp")
    observations.add("mid.heatmap_difference", heatmaps, "bkyx")
    observations.add("mid.sparse_deformed", deformed, "bkcyx")
    observations.add("mid.hourglass_out", seen[f"{_MOTION}.hourglass"], "bcyx")
    observations.add("mid.mask", motion.mask, "bkyx")
    observations.add("mid.deformation", motion.deformation, "byxp")
    observations.add("mid.occlusion_map", motion.occlusion, "bcyx")
    observations.add("mid.bottleneck_out", seen["generator.bottleneck"], "bcyx")
    observations.add("mid.deformed_image", generator.warp_picture(pictures[:1], motion), "bcyx")

    vectors = _vector(driving), _vector(second)
    coded = code(observations, _vector(source), vectors, QUANTISATION_FACTOR, scenario)
    for name, vector in coded.items():
        decoded = _keypoints(vector)
        observations.add(f"codec.{name}.decoded_kp", decoded.positions)
        observations.add(f"codec.{name}.decoded_jacobian", decoded.jacobians)
        with recorded(network, [_MOTION]) as seen:
            picture = generator.animate(cache, source, decoded)
        if name != "f3":
            observations.add_picture(f"pred_quant_{name}", picture)
            continue
        observations.add_picture("pred_symbols_f3", picture)
        observations.add("f3.deformation", seen[_MOTION].deformation)
        observations.add("f3.occlusion_map", seen[_MOTION].occlusion)
        for variant, copy in copies(build, scenario.variants, FOMM_CONVENTIONS, weights):
            picture = copy.generator.animate(cache, source, decoded)
            observations.add_picture(f"variant_{variant}_f3", picture)
    return observations
