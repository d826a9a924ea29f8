"""`gfvc train`: from its arguments to a configuration, and its errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gfvc.cli.main import main
from models.training import LossWeights, TrainingConfiguration
from models.training.loop import TrainingResult
from models.training.validation import Validation
from tests.gfvc.batch import chores

Call = dict[str, Any]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Call:
    """What training was called with; it takes no time and has one score."""
    call: Call = {}

    def train(configuration: TrainingConfiguration, task: object, **options: object) -> object:
        call.update(options, configuration=configuration, task=task)
        sheet = np.zeros((1, 1, 3), np.uint8)
        return TrainingResult(1, 1.0, Validation({"ms_ssim": 0.9}, sheet))

    monkeypatch.setattr("models.training.run.train", train)
    return call


def test_face_is_trained_by_its_own_recipe(
    called: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(tmp_path), "--out", "runs/face", "--minutes", "5"]) == 0
    assert capsys.readouterr().out == "ms_ssim\t0.9000\n"
    expected = TrainingConfiguration(data=tmp_path, out=Path("runs/face"), minutes=5)
    assert called["configuration"] == expected
    assert called["task"].name == "face"
    assert called["resume"] is False


def test_options_reach_the_training(
    called: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "INDEX.csv").write_text("file,identity,split\n")
    options = (
        "--out o --steps 9 --resume --model fomm --variant official --loss l1=2 --loss jacobian=0 "
        "--augmentation flip=0 --learning-rate 0.1 --window 128 --skip a --skip b --workers 3"
    )
    assert main(["train", str(tmp_path), *options.split()]) == 0
    assert "no perceptual loss" in capsys.readouterr().err
    found = called["configuration"]
    assert found.index == tmp_path / "INDEX.csv"
    assert found.weights == LossWeights(l1=2)
    assert (found.augmentation.flip, found.augmentation.crop) == (0, 0.8)
    assert (found.learning_rate, found.window, found.gradient_scales) == (0.1, 128, 3)
    assert (found.skip, found.workers, found.steps) == (("a", "b"), 3, 9)
    task = called["task"]
    assert (task.name, task.jacobian_weight, task.equivariance_weight) == ("fomm", 0, 1)
    assert task.configuration.conventions.feature_warp_align_corners is False
    assert called["resume"] is True


def test_clips_are_read_by_an_engine_where_that_is_asked_for(called: Call, tmp_path: Path) -> None:
    arguments = ["train", str(tmp_path), "--out", "o", "--steps", "1"]
    assert main(arguments) == 0
    assert called.pop("spread") is None
    assert main([*arguments, "--jobs", "2"]) == 0
    spread: Any = called["spread"]
    done = list(spread(chores.double, [(number,) for number in range(5)]))
    assert sorted(done) == [0, 2, 4, 6, 8]
    with pytest.raises(ValueError, match="no such thing"):
        list(spread(chores.fail, [()]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--engine dask", "--engine dask needs --scheduler tcp://HOST:PORT"),
        ("--scheduler tcp://a:1", "--scheduler is for --engine dask"),
    ],
)
def test_engines_and_schedulers_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    arguments = ["train", str(tmp_path), "--out", "o", "--steps", "1", *options.split()]
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"gfvc train: {message}")


@pytest.mark.parametrize(("size", "window"), [(64, 64), (96, 96), (128, 128), (160, 128)])
def test_the_window_fits_the_picture(called: Call, tmp_path: Path, size: int, window: int) -> None:
    assert main(["train", str(tmp_path), "--out", "o", "--steps", "1", "--size", str(size)]) == 0
    assert called["configuration"].window == window


@pytest.mark.parametrize("model", ["cfte", "fv2v"])
def test_other_networks_draw_whole_pictures(called: Call, tmp_path: Path, model: str) -> None:
    assert main(["train", str(tmp_path), "--out", "o", "--steps", "1", "--model", model]) == 0
    assert called["task"].name == model
    assert called["configuration"].window == called["configuration"].size == 256


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "training has no end"),
        ("--steps 1 --loss charm=1", "face has no loss 'charm'"),
        ("--steps 1 --augmentation charm=1", "no augmentation 'charm'"),
        ("--steps 1 --augmentation flip=2", "augmentation flip is 2"),
        ("--steps 1", "none: is no folder"),
        ("--steps 1 --model cfte --size 128", "cfte works on pictures of width 256 only"),
        ("--steps 1 --model fomm --size 160", "multiple of 128, not 160"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, message: str
) -> None:
    out = tmp_path / "out"
    assert main(["train", str(tmp_path / "none"), "--out", str(out), *options.split()]) == 1
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("gfvc train: ")
    assert message in line
    assert not out.exists()


@pytest.mark.parametrize("option", ["--loss l1", "--loss l1=much", "--model mesh"])
def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", str(tmp_path), "--out", "o", "--steps", "1", *option.split()])
    assert caught.value.code == 2
    assert "usage: gfvc train" in capsys.readouterr().err


def test_what_people_are_told_is_printable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(configuration: TrainingConfiguration, task: object, **options: Any) -> object:
        options["report"]("clip \x1b[31m\u202e[bold]: 12 pictures")
        sheet = np.zeros((1, 1, 3), np.uint8)
        return TrainingResult(1, 1.0, Validation({}, sheet))

    monkeypatch.setattr("models.training.run.train", train)
    assert main(["train", str(tmp_path), "--out", "runs/face", "--minutes", "5"]) == 0
    told = capsys.readouterr().err
    assert told.endswith("clip \\x1b[31m\\u202e[bold]: 12 pictures\n")
    assert "\x1b" not in told


@pytest.mark.parametrize("way", ["itself", "symbolic", "hard"])
def test_a_training_does_not_replace_what_it_starts_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    weights = given = out / "face-best.safetensors"
    weights.write_bytes(b"dear to me")
    if way != "itself":
        given = tmp_path / "other.safetensors"
        (given.symlink_to if way == "symbolic" else given.hardlink_to)(weights)
    arguments = ["train", str(tmp_path), "--out", str(out), "--weights", str(given)]
    assert main([*arguments, "--steps", "1"]) == 1
    assert "lies among the results" in capsys.readouterr().err
    assert weights.read_bytes() == b"dear to me"
