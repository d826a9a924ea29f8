"""The tasks of FOMM, CFTE and FV2V, on tiny variants of the networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.family import imported_families
from models.published.cfte.training import CfteTask
from models.published.fomm.configuration import FommConventions
from models.published.fomm.network import Fomm
from models.published.fomm.training import FommTask
from models.published.fv2v.training import Fv2vTask, keypoint_prior
from models.published.training import AnimationTask
from models.training import TrainingError
from models.training.augmentation import Pair, flip, landmark_mirror
from models.training.pairs import PairSource, make_pair, stack_pairs
from models.training.saved import export_weights
from models.training.trainer import Trainer
from models.weights.reading import read_checkpoint
from models.weights.tensors import fit_tensors
from tests.models.published.tiny import TINY_CFTE, TINY_FOMM, TINY_FV2V
from tests.models.training.support import configure, make_footage

SIZES = {"fomm": 128, "cfte": 256, "fv2v": 128}
TASKS: dict[str, Callable[[], AnimationTask]] = {
    "fomm": lambda: FommTask(TINY_FOMM),
    "cfte": lambda: CfteTask(TINY_CFTE),
    "fv2v": lambda: Fv2vTask(replace(TINY_FV2V, detector_reduces_picture=True)),
}


@pytest.mark.parametrize(
    ("name", "steps", "rate"), [("fomm", 40, 4e-3), ("cfte", 14, 4e-3), ("fv2v", 24, 2e-3)]
)
def test_a_tiny_network_learns_eight_pictures(
    name: str, steps: int, rate: float, tmp_path: Path
) -> None:
    task, size = TASKS[name](), SIZES[name]
    configuration = configure(
        tmp_path,
        size=size,
        window=size,
        steps=steps,
        learning_rate=rate,
        warm_up=1,
        final_rate=1.0,
        gradient_scales=3,
    )
    footage = [make_footage("somebody", 8, size)]
    source = PairSource(footage, task, configuration, landmark_mirror(), lambda key, _: key)
    trainer = Trainer(configuration, task, torch.device("cpu"))
    losses = []
    for step in range(steps):
        found = trainer.take_step(source.batch(step))
        losses.append(float(found["total"]))
        assert found.keys() == {"l1", "gradient", "ssim", "total", *task.loss_names}
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


@pytest.mark.parametrize("name", TASKS)
def test_validation_is_not_left_to_chance(name: str) -> None:
    task = TASKS[name]()
    pair = make_pair(make_footage("somebody", 2, SIZES[name]), 0, 1)
    batch = stack_pairs([pair], [task.prepare(pair, None)])
    network = task.build_network().eval()
    with torch.no_grad():
        one, other = (task.forward(network, batch) for _ in range(2))
    assert torch.equal(one.picture, other.picture)
    assert one.losses == {}


@pytest.mark.parametrize("name", TASKS)
def test_exported_weights_are_named_like_a_published_checkpoint(name: str, tmp_path: Path) -> None:
    task = TASKS[name]()
    network = task.build_network()
    path = tmp_path / "weights.safetensors"
    export_weights(network, task.metadata(), path)
    fitted = fit_tensors(read_checkpoint(path, imported_families()[name].entries), network)
    for parameter, tensor in network.state_dict().items():
        assert torch.allclose(fitted[parameter], tensor, rtol=1e-3, atol=1e-6), parameter


@pytest.mark.parametrize("name", TASKS)
def test_picture_sizes_are_checked(name: str) -> None:
    task = TASKS[name]()
    task.check_size(SIZES[name])
    with pytest.raises(TrainingError, match="width"):
        task.check_size(96)


def test_jacobians_begin_as_the_identity() -> None:
    network = FommTask(TINY_FOMM).build_network()
    assert isinstance(network, Fomm)
    with torch.no_grad():
        found = network.eval().kp_detector(torch.rand(1, 3, 128, 128))
    assert torch.allclose(found.jacobians, torch.eye(2).expand_as(found.jacobians), atol=1e-5)


def test_without_jacobians_nothing_is_asked_of_them() -> None:
    plain = FommTask(replace(TINY_FOMM, conventions=FommConventions(use_jacobians=False)))
    assert plain.loss_names == ("equivariance",)


def test_the_keypoint_prior_wants_keypoints_apart_and_at_their_depth() -> None:
    apart = torch.tensor([[[-0.5, -0.5, 0.33], [0.5, -0.5, 0.33], [0.0, 0.5, 0.33]]])
    assert float(keypoint_prior(apart)) == pytest.approx(0.0, abs=1e-6)
    # Each of three has two neighbours at no distance.
    assert float(keypoint_prior(torch.full((1, 3, 3), 0.33))) == pytest.approx(0.2, abs=1e-6)
    assert float(keypoint_prior(apart + torch.tensor([0.0, 0.0, 1.0]))) == pytest.approx(1.0)


def test_the_head_pose_is_that_of_the_landmarks() -> None:
    pair: Pair = make_pair(make_footage("somebody", 4, 128), 0, 1)
    task = Fv2vTask(TINY_FV2V)
    rotation = task.prepare(pair, None)["rotation"]
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
    mirrored = task.prepare(flip(pair, landmark_mirror()), None)["rotation"]
    # The clip's heads turn about all three axes; a mirror keeps the nod and turns the others round.
    signs = np.array([[1, -1, -1], [-1, 1, 1], [-1, 1, 1]])
    assert np.allclose(mirrored, rotation * signs, atol=0.02)
    assert np.abs(rotation - np.eye(3)).max() > 0.05
