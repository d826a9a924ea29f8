"""FV2V's arrays of a parity pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.published.fv2v.configuration import FV2V_CONVENTIONS
from models.published.fv2v.network import Fv2v, build
from models.published.fv2v.pose import Fv2vEstimate, Fv2vPose, angle_degrees
from models.published.layers.motion import DenseMotion, heatmap_differences, sparse_motions
from tools.parity.observations import Observations, Vector, code, recorded
from tools.parity.pack import Scenario
from tools.parity.weights import copies, load_weights, unallocated

QUANTISATION_FACTOR = 256
_VECTOR_LANES = (8, 16)
"""Single-precision numbers in a register of AVX2 and of AVX-512."""

_MOTION = "generator.dense_motion_network"


def _vector(pose: Fv2vPose) -> Vector:
    """Parameter list: rotation row by row, translation, expression keypoint by keypoint."""
    parts = [pose.rotation.flatten(), pose.translation.flatten(), pose.expression.flatten()]
    values: Vector = torch.cat(parts).numpy().astype(np.float64)
    return values


def _pose(vector: Vector) -> Fv2vPose:
    values = torch.from_numpy(vector.astype(np.float32))
    return Fv2vPose(values[:9].view(1, 3, 3), values[9:12].view(1, 3), values[12:].view(1, -1, 3))


def _sum_in_lanes(terms: NDArray[np.float32], lanes: int) -> NDArray[np.float64]:
    """Sums [K] of terms [K, N], each lane adding up its share in turn in single precision."""
    running = np.add.accumulate(terms.reshape(len(terms), -1, lanes), axis=1, dtype=np.float32)
    total: NDArray[np.float64] = running[:, -1].sum(axis=1, dtype=np.float64)
    return total


def _canonical_keypoints(network: Fv2v, picture: Tensor, reference: NDArray[Any] | None) -> Tensor:
    """Canonical keypoints [1, K, 3] as the reference's processor rounds them.

    Its soft-max over a million samples adds up in as many single-precision lanes as a vector
    register has; the heat maps then do not sum to 1, by up to 3e-4. Ours do. The number of lanes
    that fits the reference best is taken; all else has to agree by itself.
    """
    with recorded(network.kp_detector, ["kp"]) as seen:
        ours: Tensor = network.kp_detector(picture)
    if reference is None or reference.shape != ours.shape:
        return ours
    scaled = (seen["kp"] / network.kp_detector.temperature).flatten(2)[0]
    terms = (scaled - scaled.amax(dim=1, keepdim=True)).exp().numpy()
    candidates = [ours]
    for lanes in _VECTOR_LANES:
        scale = terms.sum(axis=1, dtype=np.float64) / _sum_in_lanes(terms, lanes)
        candidates.append(ours * torch.from_numpy(scale).float()[:, None])
    return min(candidates, key=lambda c: float(np.abs(c.numpy() - reference).max()))


def _analyse(
    network: Fv2v, pictures: Tensor, canonical: Tensor, observations: Observations
) -> list[Fv2vPose]:
    found = []
    for name, picture in zip(("src", "drv", "drv2"), pictures, strict=True):
        estimate: Fv2vEstimate = network.he_estimator(picture[None])
        for angle in ("yaw", "pitch", "roll"):
            logits: Tensor = getattr(estimate, angle)
            observations.add(f"{name}.{angle}_logits", logits)
            observations.add(f"{name}.{angle}_deg", angle_degrees(logits))
        pose = estimate.pose()
        observations.add(f"{name}.rot", pose.rotation)
        observations.add(f"{name}.t", pose.translation)
        observations.add(f"{name}.exp", pose.expression.flatten(1))
        observations.add(f"{name}.kp", pose.keypoints(canonical))
        found.append(pose)
    return found


def observe(weights: Mapping[str, Tensor], pictures: Tensor, scenario: Scenario) -> Observations:
    """Run FV2V on the test pictures [3, 3, 256, 256] in 0..1.

    Args:
        weights: state dictionary of `Fv2v`.
        pictures: source, driving, second driving.
        scenario: what else to render.
    """
    observations = Observations()
    network = load_weights(unallocated(Fv2v), weights)
    canonical = _canonical_keypoints(network, pictures[:1], scenario.canonical_keypoints)
    observations.add("src.kp_canonical", canonical)
    source_pose, driving_pose, second_pose = _analyse(network, pictures, canonical, observations)
    source, driving = source_pose.keypoints(canonical), driving_pose.keypoints(canonical)

    generator = network.generator
    watched = [
        "generator.first",
        "generator.down_blocks",
        "generator.third",
        "generator.fourth",
        "generator.resblocks_2d",
        f"{_MOTION}.hourglass",
        _MOTION,
    ]
    with recorded(network, watched) as seen:
        cache = generator.encode_source(pictures[:1])
        observations.add_picture("pred_float", generator.animate(cache, source, driving))
    motion: DenseMotion = seen[_MOTION]
    size = cache.volume.shape[2:]
    motions = sparse_motions(source, driving, size)
    heatmaps = heatmap_differences(source, driving, size)
    observations.add("mid.first", seen["generator.first"], "bcyx")
    observations.add("mid.encoded", seen["generator.down_blocks"], "bcyx")
    observations.add("mid.feature_3d", cache.volume, "bcdyx")
    observations.add("mid.sparse_motion", motions, "bkdyxp")
    observations.add("mid.heatmap_difference", heatmaps, "bkdyx")
    observations.add("mid.hourglass_out", seen[f"{_MOTION}.hourglass"], "bcdyx")
    observations.add("mid.mask", motion.mask, "bkdyx")
    observations.add("mid.deformation", motion.deformation, "bdyxp")
    observations.add("mid.occlusion_map", motion.occlusion, "bcyx")
    warped = generator.warp_volume(cache.volume, motion)
    observations.add("mid.deformed_feature", warped, "bcdyx")
    observations.add("mid.third", seen["generator.third"], "bcyx")
    observations.add("mid.fourth", seen["generator.fourth"], "bcyx")
    observations.add("mid.bottleneck_out", seen["generator.resblocks_2d"], "bcyx")

    vectors = _vector(driving_pose), _vector(second_pose)
    coded = code(observations, _vector(source_pose), vectors, QUANTISATION_FACTOR, scenario)
    for name, vector in coded.items():
        decoded = _pose(vector).keypoints(canonical)
        observations.add(f"codec.{name}.decoded_kp", decoded)
        with recorded(network, [_MOTION]) as seen:
            picture = generator.animate(cache, source, decoded)
        if name != "f3":
            observations.add_picture(f"pred_quant_{name}", picture)
            continue
        observations.add_picture("pred_symbols_f3", picture)
        observations.add("f3.deformation", seen[_MOTION].deformation, "bdyxp")
        observations.add("f3.occlusion_map", seen[_MOTION].occlusion)
        for variant, copy in copies(build, scenario.variants, FV2V_CONVENTIONS, weights):
            picture = copy.generator.animate(cache, source, decoded)
            observations.add_picture(f"variant_{variant}_f3", picture)
    return observations
