"""The task of the `face` network, on one of a few channels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.face.blocks import FaceConfiguration
from models.face.network import FaceNetwork, KeyFeatures
from models.face.torch_rendering import load_face_network
from models.face.training import FaceTask, coded_landmarks
from models.landmarks.face_space import shipped_face_space
from models.training import TrainingError
from models.training.augmentation import landmark_mirror
from models.training.pairs import PairSource, make_pair, stack_pairs
from models.training.task import Batch, Window
from models.training.trainer import Trainer
from tests.models.training.support import clips, configure, make_footage, train

TINY = FaceConfiguration(channels=(4, 4, 8), motion_channels=4, bottleneck_blocks=1)
COMPACT = replace(TINY, compact_features=3)
LEARNING = replace(TINY, channels=(16, 24, 32), motion_channels=8)


def batch_of(task: FaceTask, *, window: Window | None = None) -> Batch:
    clip = make_footage("somebody", 4, 64)
    pairs = [make_pair(clip, 0, n, previous=task.codes_differences) for n in (1, 2)]
    return stack_pairs(pairs, [task.prepare(pair, None) for pair in pairs], window)


@pytest.mark.parametrize("compact_features", [0, 3])
def test_a_small_network_learns_two_pictures(compact_features: int, tmp_path: Path) -> None:
    task = FaceTask(replace(LEARNING, compact_features=compact_features))
    training = configure(tmp_path, batch=4, steps=36, learning_rate=5e-3, final_rate=1.0)
    footage = [make_footage("somebody", 2, 64)]
    source = PairSource(footage, task, training, landmark_mirror(), lambda key, _: key)
    trainer = Trainer(training, task, torch.device("cpu"))
    # What is given of two pictures is soon the same again, and takes longer than a step.
    batches = [source.batch(number) for number in range(6)]
    losses = []
    for step in range(training.steps or 0):
        found = trainer.take_step(batches[step % len(batches)])
        losses.append(float(found["total"]))
        assert set(task.loss_names) <= found.keys()
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_landmarks_are_those_that_the_stream_carries() -> None:
    clip = make_footage("somebody", 4, 64)
    coded = coded_landmarks(
        shipped_face_space(),
        clip.pictures[0],
        clip.landmarks[0],
        clip.pictures[1],
        clip.landmarks[1],
    )
    error = np.linalg.norm((coded - clip.landmarks[1])[:, :2], axis=1)
    # The clip moves by pose and two expressions of the space, so that little but rounding is left.
    assert 1e-5 < error.mean() < 0.01
    task = FaceTask(COMPACT, coded_share=0.0)
    pair = make_pair(clip, 0, 2, previous=True)
    tracked = task.prepare(pair, np.random.default_rng(0))
    assert np.array_equal(tracked["landmarks"], clip.landmarks[2][:, :2])
    assert np.array_equal(tracked["previous_landmarks"], clip.landmarks[1][:, :2])
    # What is coded is coded at both ends of a difference.
    both = replace(task, coded_share=1.0).prepare(pair, np.random.default_rng(0))
    assert np.array_equal(both["previous_landmarks"], coded[:, :2])
    assert both["flow"].shape == both["previous_flow"].shape == (2, 64, 64)


class Spy(FaceNetwork):
    """Remembers which compact features it was asked to draw with."""

    def draw(  # type: ignore[no-untyped-def]
        self, key: KeyFeatures, landmarks: Tensor, flow: Tensor, compact=None, cut=None, second=None
    ):
        self.seen = compact
        return super().draw(key, landmarks, flow, compact, cut, second)


def spied(task: FaceTask, *, training: bool) -> list[Tensor]:
    torch.manual_seed(0)
    network = Spy(task.configuration).train(training)
    batch = batch_of(task)
    seen = []
    for _ in range(40 if training else 1):
        task.forward(network, batch)
        assert network.seen is not None
        seen += list(network.seen.detach())
    return seen


def test_any_number_of_compact_features_is_learned() -> None:
    counts = []
    for values in spied(FaceTask(COMPACT), training=True):
        sent = (values != 0).tolist()
        # Always the first ones.
        assert sent == sorted(sent, reverse=True)
        counts.append(sum(sent))
    assert set(counts) == {0, 1, 2, 3}
    assert 0.2 < counts.count(0) / len(counts) < 0.6


def test_validation_sends_as_many_as_asked_for() -> None:
    for count in range(4):
        for values in spied(FaceTask(COMPACT, values_sent=count), training=False):
            assert not values[count:].any()
            assert torch.equal(values, values.round())
    with pytest.raises(TrainingError, match="4 values to send; the network has 3"):
        FaceTask(COMPACT, values_sent=4)


def test_unsent_features_cost_nothing() -> None:
    task = FaceTask(COMPACT, unsent_share=1.0)
    outputs = task.forward(FaceNetwork(COMPACT).train(), batch_of(task))
    # Two bits each, of a difference of 0.
    assert float(outputs.losses["rate"].detach()) == pytest.approx(task.rate_weight * 3 * 2)


def test_a_window_is_a_part_of_the_picture() -> None:
    task = FaceTask(TINY)
    network = FaceNetwork(TINY).eval()
    with torch.no_grad():
        whole = task.forward(network, batch_of(task))
        part = task.forward(network, batch_of(task, window=Window(0, 0, 32)))
    assert part.picture.shape == part.target.shape == (2, 3, 32, 32)
    assert part.importance is not None
    assert part.importance.shape == (2, 1, 32, 32)
    assert torch.equal(part.target, whole.target[:, :, :32, :32])
    # Away from the window's border, which convolutions take for the picture's.
    assert torch.allclose(part.picture[..., :16, :16], whole.picture[..., :16, :16], atol=1e-2)


def test_lips_and_eyes_count_more() -> None:
    task = FaceTask(TINY, detail_weight=3.0)
    outputs = task.forward(FaceNetwork(TINY).eval(), batch_of(task))
    assert outputs.importance is not None
    assert float(outputs.importance.min()) >= 1.0
    assert float(outputs.importance.max()) > 3.0
    assert float(outputs.importance[0, 0, 2, 2]) < 1.1


def test_exported_weights_make_the_network_again(tmp_path: Path) -> None:
    train(configure(tmp_path, steps=1), FaceTask(COMPACT), footage=clips())
    network = load_face_network(tmp_path / "face-best.safetensors")
    assert network.configuration == COMPACT
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    for name, tensor in network.state_dict().items():
        assert torch.allclose(tensor, state["average"][name], rtol=1e-3, atol=1e-6), name
