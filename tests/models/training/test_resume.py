"""A training that is stopped and goes on is the training that was not stopped."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.training import Augmentation, TrainingConfiguration, TrainingError
from models.training.recorder import RUNS_NAME
from models.training.run import train
from models.training.task import Batch, Outputs
from tests.models.training.support import TintTask, clips, configure, rows, weights_of

EVERYTHING = Augmentation(crop=1, colour=1, flip=0.5, key_coding=0.7)


@dataclass(frozen=True)
class StoppedTask(TintTask):
    """Somebody presses Ctrl-C in the middle of a step."""

    at: int = 3
    number: signal.Signals = signal.SIGINT

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        done = int(network.state_dict()["norm.num_batches_tracked"])
        if network.training and done == self.at - 1:
            signal.raise_signal(self.number)
        return super().forward(network, batch)


def adversarial(out: Path, steps: int = 6) -> TrainingConfiguration:
    return configure(out, steps=steps, adversarial_from=1, augmentation=EVERYTHING)


def test_weights_are_equal_to_the_bit_after_ctrl_c(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train(adversarial(whole), TintTask(), footage=clips())
    with pytest.raises(KeyboardInterrupt):
        train(adversarial(halves), StoppedTask(), footage=clips())
    torch.manual_seed(99)  # what other work did to the generator in between
    result = train(adversarial(halves), TintTask(), footage=clips(), resume=True)
    assert result.steps == 6
    expected, found = weights_of(whole), weights_of(halves)
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name
    for table in ("losses.csv", "validation.csv"):
        for one, other in zip(rows(whole / table), rows(halves / table), strict=True):
            for timing in ("seconds", "pairs_per_second"):
                one.pop(timing, None)
                other.pop(timing, None)
            assert one == other
    assert len((halves / RUNS_NAME).read_text().splitlines()) == 2


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    for seed in (0, 1):
        train(configure(tmp_path / str(seed), seed=seed), TintTask(), footage=clips())
    one, other = (weights_of(tmp_path / str(seed)) for seed in (0, 1))
    assert not torch.equal(one["network.convolution.weight"], other["network.convolution.weight"])


def test_termination_leaves_a_state_and_then_has_its_effect(tmp_path: Path) -> None:
    class TerminatedError(Exception):
        pass

    def handler(number: int, frame: object) -> None:
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with pytest.raises(TerminatedError):
            train(configure(tmp_path), StoppedTask(at=2, number=signal.SIGTERM), footage=clips())
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert state["step"] == 2


@pytest.mark.usefixtures("read_here")
def test_more_steps_than_before_go_on(tmp_path: Path) -> None:
    train(configure(tmp_path, steps=2), TintTask(), footage=clips())
    assert train(configure(tmp_path, steps=3), TintTask(), footage=clips(), resume=True).steps == 3
    assert [row["step"] for row in rows(tmp_path / "losses.csv")] == ["1", "2", "3"]


@pytest.mark.usefixtures("read_here")
def test_rows_after_the_state_and_cut_ones_are_dropped(tmp_path: Path) -> None:
    train(configure(tmp_path, steps=2), TintTask(), footage=clips())
    table = tmp_path / "losses.csv"
    columns = table.read_text().splitlines()[0].count(",")
    with table.open("a") as file:
        file.write("3" + ",1" * columns + "\n1")
    train(configure(tmp_path, steps=3), TintTask(), footage=clips(), resume=True)
    found = rows(table)
    assert [row["step"] for row in found] == ["1", "2", "3"]
    assert found[2]["seconds"] != "1"


def test_a_training_is_not_overwritten(tmp_path: Path) -> None:
    train(configure(tmp_path), TintTask(), footage=clips())
    with pytest.raises(TrainingError, match="go on with --resume"):
        train(configure(tmp_path), TintTask(), footage=clips())


def test_without_a_state_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no state to go on from"):
        train(configure(tmp_path), TintTask(), footage=clips(), resume=True)


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("keep", [0, 100, -200])
def test_a_damaged_state_is_one_line(tmp_path: Path, keep: int) -> None:
    train(configure(tmp_path), TintTask(), footage=clips())
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:keep])
    with pytest.raises(TrainingError, match=r"state\.pt: damaged") as caught:
        train(configure(tmp_path), TintTask(), footage=clips(), resume=True)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("read_here")
def test_a_state_of_another_network_is_refused(tmp_path: Path) -> None:
    train(configure(tmp_path), TintTask(), footage=clips())
    other = TintTask(configuration="fancy")
    with pytest.raises(TrainingError, match="another network"):
        train(configure(tmp_path), other, footage=clips(), resume=True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("step", None, "its step is missing"), ("network", {}, "does not fit this training")],
)
@pytest.mark.usefixtures("read_here")
def test_a_state_that_lacks_something_is_refused(
    tmp_path: Path, name: str, value: object, message: str
) -> None:
    train(configure(tmp_path), TintTask(), footage=clips())
    path = tmp_path / "state.pt"
    torch.save({**torch.load(path, weights_only=True), name: value}, path)
    with pytest.raises(TrainingError, match=message):
        train(configure(tmp_path), TintTask(), footage=clips(), resume=True)


def test_a_state_that_wants_to_run_code_does_not(tmp_path: Path) -> None:
    class Mischief:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (np.fromfile, ("/etc/hostname",))

    torch.save({"step": Mischief()}, tmp_path / "state.pt")
    with pytest.raises(TrainingError, match="damaged or no state"):
        train(configure(tmp_path), TintTask(), footage=clips(), resume=True)


def test_a_loss_that_is_no_number_ends_training(tmp_path: Path) -> None:
    class Diverging(TintTask):
        def forward(self, network: nn.Module, batch: Batch) -> Outputs:
            outputs = super().forward(network, batch)
            return Outputs(outputs.picture * float("nan"), outputs.target)

    with pytest.raises(TrainingError, match="step 0: the loss is no number"):
        train(configure(tmp_path), Diverging(), footage=clips())
    assert not (tmp_path / "state.pt").exists()
