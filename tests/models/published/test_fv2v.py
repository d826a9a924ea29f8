"""FV2V in a tiny size: goldens, conventions of the published copies, pose, sizes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from models.published.fv2v.configuration import FV2V_CONVENTIONS, Fv2vConventions
from models.published.fv2v.network import Fv2v
from models.published.fv2v.pose import Fv2vPose, angle_degrees, rotation_matrix
from models.published.layers.motion import DenseMotion
from tests.models.published.golden import check_golden
from tests.models.published.tiny import TINY_FV2V, filled, keypoints_of, pictures, tiny_fv2v


def test_outputs_are_the_golden_ones() -> None:
    network, (source, driving, _) = tiny_fv2v(), pictures(128)
    canonical = network.kp_detector(source)
    estimate = network.he_estimator(driving)
    of_source, of_driving = keypoints_of(network, source, driving)
    cache = network.generator.encode_source(source)
    motion: DenseMotion = network.generator.dense_motion_network(
        cache.compressed, of_source, of_driving
    )
    prediction = network.generator.animate(cache, of_source, of_driving)
    check_golden(
        "tiny_fv2v",
        {
            "canonical": canonical,
            "yaw": angle_degrees(estimate.yaw),
            "pitch": angle_degrees(estimate.pitch),
            "roll": angle_degrees(estimate.roll),
            "rotation": estimate.pose().rotation,
            "translation": estimate.translation,
            "expression": estimate.expression,
            "driving_keypoints": of_driving,
            "deformation": motion.deformation[:, :, 3::8, 5::8],
            "occlusion": motion.occlusion[..., 1::4, 2::4],
            "prediction": prediction[..., 1::4, 2::4],
        },
    )


def test_conventions_of_the_published_copies() -> None:
    table = {
        name: (c.sparse_sampling_align_corners, c.feature_warp_align_corners)
        for name, c in FV2V_CONVENTIONS.items()
    }
    assert table == {"jvet_v2": (False, False), "jvet_v1": (False, False), "goluck": (True, True)}
    assert FV2V_CONVENTIONS["jvet_v2"] == Fv2vConventions()


@pytest.mark.parametrize("chosen", [0, 33, 65])
def test_angle_of_a_certain_class(chosen: int) -> None:
    logits = torch.zeros(1, 66)
    logits[0, chosen] = 100
    assert angle_degrees(logits).item() == pytest.approx(3 * chosen - 99, abs=1e-4)


def test_angle_is_an_expectation() -> None:
    logits = torch.full((1, 66), -100.0)
    logits[0, 10] = logits[0, 40] = 5
    assert angle_degrees(logits).item() == pytest.approx(3 * 25 - 99, abs=1e-4)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll", "fixed", "turned"),
    [
        # The axis that stays, and where another one goes, for a quarter turn about each.
        (90, 0, 0, [0, 0, 1], ([1, 0, 0], [0, 1, 0])),
        (0, 90, 0, [0, 1, 0], ([0, 0, 1], [1, 0, 0])),
        (0, 0, 90, [1, 0, 0], ([0, 1, 0], [0, 0, 1])),
    ],
)
def test_axes_of_rotation(
    yaw: float,
    pitch: float,
    roll: float,
    fixed: list[float],
    turned: tuple[list[float], list[float]],
) -> None:
    angles = (torch.tensor([float(a)]) for a in (yaw, pitch, roll))
    rotation = rotation_matrix(*angles)[0]
    axis, start, end = (torch.tensor(v, dtype=torch.float32) for v in (fixed, *turned))
    torch.testing.assert_close(rotation @ axis, axis)
    # A quarter turn is short by half of π − 3.14.
    torch.testing.assert_close(rotation @ start, end, rtol=0, atol=1e-3)


def test_rotations_follow_roll_pitch_yaw_and_the_published_pi() -> None:
    yaw, pitch, roll = (torch.tensor([a]) for a in (20.0, -35.0, 50.0))
    rotation = rotation_matrix(yaw, pitch, roll)
    zero = torch.zeros(1)
    parts = (
        rotation_matrix(zero, zero, roll)
        @ rotation_matrix(zero, pitch, zero)
        @ rotation_matrix(yaw, zero, zero)
    )
    torch.testing.assert_close(rotation, parts)
    torch.testing.assert_close(rotation[0] @ rotation[0].T, torch.eye(3), rtol=0, atol=1e-6)
    only_yaw = rotation_matrix(torch.tensor([60.0]), zero, zero)[0]
    assert only_yaw[0, 0].item() == pytest.approx(math.cos(3.14 / 3), abs=1e-6)
    assert only_yaw[0, 0].item() != pytest.approx(math.cos(math.pi / 3), abs=1e-5)


def test_pose_moves_every_keypoint() -> None:
    generator = torch.Generator().manual_seed(1)
    rotation, translation, expression, canonical = (
        torch.randn(*shape, generator=generator)
        for shape in ((2, 3, 3), (2, 3), (2, 4, 3), (1, 4, 3))
    )
    ours = Fv2vPose(rotation, translation, expression).keypoints(canonical)
    for batch in range(2):
        for k in range(4):
            expected = rotation[batch] @ canonical[0, k] + translation[batch] + expression[batch, k]
            torch.testing.assert_close(ours[batch, k], expected)


def test_layer_fc_roll_gives_yaw_and_fc_yaw_gives_roll() -> None:
    estimator = tiny_fv2v().he_estimator
    for index, name in enumerate(("roll", "pitch", "yaw")):
        layer = getattr(estimator, f"fc_{name}")
        layer.weight.zero_()
        layer.bias.fill_(index)
    estimate = estimator(pictures(128)[0])
    assert [estimate.yaw[0, 0], estimate.pitch[0, 0], estimate.roll[0, 0]] == [0, 1, 2]


def test_detector_of_the_upstream_configuration_reduces_the_picture() -> None:
    configuration = replace(TINY_FV2V, detector_reduces_picture=True)
    upstream = filled(Fv2v(configuration)).kp_detector
    plain = tiny_fv2v().kp_detector
    assert upstream.state_dict().keys() - plain.state_dict().keys() == {"down.weight"}
    source = pictures(128)[0]
    torch.testing.assert_close(upstream(source), plain(upstream.down(source)))
    with pytest.raises(ValueError, match=r"multiples of 128"):
        upstream(torch.zeros(1, 3, 64, 64))


def test_pictures_of_other_sizes_are_refused() -> None:
    network = tiny_fv2v()
    with pytest.raises(ValueError, match=r"multiples of 32"):
        network.kp_detector(torch.zeros(1, 3, 128, 100))
    with pytest.raises(ValueError, match=r"multiples of 128"):
        network.generator.encode_source(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="picture has shape"):
        network.he_estimator(torch.zeros(3, 128, 128))
