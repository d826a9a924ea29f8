"""What a training leaves behind, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn

from models.errors import ModelError
from models.family import trained_families
from models.runtime import torch_device
from models.training import Augmentation, LossWeights, TrainingConfiguration, TrainingError
from models.training import validation as validation_module
from models.training.footage import Footage
from models.training.recipes import build_task
from models.training.run import train
from models.training.saved import export_weights
from models.training.task import Batch, Outputs
from models.training.trunk import TrunkFeatures
from models.training.validation import Validator
from tests.models.training.support import Tint, TintTask, clips, configure, make_footage, rows


class CopyTask(TintTask):
    """Draws the driven picture itself, or the key picture."""

    def __init__(self, perfect: bool) -> None:
        super().__init__()
        object.__setattr__(self, "perfect", perfect)

    def forward(self, network: nn.Module, batch: Batch) -> Outputs:
        perfect = object.__getattribute__(self, "perfect")
        return Outputs(batch.driven if perfect else batch.key, batch.driven, batch.key)


def test_a_training_leaves_tables_weights_sheets_and_its_options(tmp_path: Path) -> None:
    lines: list[str] = []
    shown: list[float] = []
    result = train(
        configure(tmp_path, steps=3, validation_minutes=0),
        TintTask(),
        footage=clips(),
        report=lines.append,
        progress=lambda share, doing: shown.append(share),
    )
    names = {path.name for path in tmp_path.iterdir()}
    sheets = {f"sheet-{step:07d}.png" for step in (1, 2, 3)}
    tables = {"losses.csv", "validation.csv", "runs.jsonl"}
    weights = {"tint-latest.safetensors", "tint-best.safetensors"}
    assert names == {"state.pt", *sheets, *tables, *weights}
    assert shown == pytest.approx([1 / 3, 2 / 3, 1])
    losses = rows(tmp_path / "losses.csv")
    assert [row["step"] for row in losses] == ["1", "2", "3"]
    for row in losses:
        terms = sum(float(row[name]) for name in ("l1", "gradient", "ssim", "size"))
        assert terms == pytest.approx(float(row["total"]), rel=1e-4)
        assert row["adversarial"] == ""
    scores = rows(tmp_path / "validation.csv")
    assert [row["step"] for row in scores] == ["1", "2", "3"]
    assert float(scores[-1]["ms_ssim"]) == pytest.approx(result.validation.scores["ms_ssim"], 1e-4)
    with safe_open(tmp_path / "tint-latest.safetensors", "pt") as file:
        assert file.metadata()["step"] == "3"
        assert file.metadata()["configuration"] == "plain"
    sheet = cv2.imread(str(tmp_path / "sheet-0000003.png"))
    assert sheet.shape == (64, 4 * 64, 3)
    run = json.loads((tmp_path / "runs.jsonl").read_text())
    assert run["first_step"] == 0
    assert run["configuration"]["weights"]["l1"] == 4.0
    assert any("tint: 0.00 million parameters" in line for line in lines)


def test_no_steps_only_validate(tmp_path: Path) -> None:
    result = train(configure(tmp_path, steps=0), TintTask(), footage=clips())
    assert result.steps == 0
    assert "ms_ssim" in result.validation.scores


def test_a_row_holds_the_mean_of_its_steps_and_the_last_may_be_short(tmp_path: Path) -> None:
    for name, steps in (("each", 1), ("mean", 2)):
        train(configure(tmp_path / name, steps=3, log_steps=steps), TintTask(), footage=clips())
    each, mean = (rows(tmp_path / name / "losses.csv") for name in ("each", "mean"))
    assert [row["step"] for row in mean] == ["2", "3"]
    first = (float(each[0]["total"]) + float(each[1]["total"])) / 2
    assert float(mean[0]["total"]) == pytest.approx(first, rel=1e-4)
    assert mean[1]["total"] == each[2]["total"]


def test_the_discriminator_comes_in_and_the_search_for_the_best_starts_anew(tmp_path: Path) -> None:
    scores = iter([0.9, 0.8, 0.7, 0.85])

    class Falling(Validator):
        def validate(self, network: nn.Module, device: torch.device) -> Any:
            found = super().validate(network, device)
            found.scores["ms_ssim"] = next(scores)
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.training.run.Validator", Falling)
        train(
            configure(
                tmp_path, steps=4, validation_minutes=0, adversarial_from=1, adversarial_ramp=2
            ),
            TintTask(),
            footage=clips(),
        )
    improved = [row["improved"] for row in rows(tmp_path / "validation.csv")]
    # From step 2 on it takes part fully, and 0.9 counts no more.
    assert improved == ["1", "1", "0", "1"]
    losses = rows(tmp_path / "losses.csv")
    assert [bool(row["adversarial"]) for row in losses] == [False, True, True, True]
    assert float(losses[1]["discriminator"]) > 0
    # It slows down with the network.
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    rates = [
        state[name]["param_groups"][0]["lr"] for name in ("optimiser", "discriminator_optimiser")
    ]
    assert rates[0] / 8e-4 == pytest.approx(rates[1] / 4e-4)


def test_validation_tells_good_from_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    footage = clips()["validation"]

    class Tracker:
        """Finds the face of picture 1 where it is, and no other."""

        looks = 0

        def __enter__(self) -> Tracker:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def look(self, picture: object) -> object:
            Tracker.looks += 1
            return footage[0].landmarks[1] if Tracker.looks == 1 else None

    monkeypatch.setattr(validation_module, "FaceTracker", Tracker)
    found = {}
    for perfect in (True, False):
        Tracker.looks = 0
        task = CopyTask(perfect)
        validator = Validator(footage, task, pictures=3, landmark_pictures=2)
        found[perfect] = validator.validate(Tint().eval(), torch.device("cpu")).scores
    good, bad = found[True], found[False]
    assert good["psnr"] == pytest.approx(100)
    assert good["ssim"] == pytest.approx(1, abs=1e-5)
    assert good["ms_ssim"] == pytest.approx(1, abs=1e-5)
    assert good["landmark_error"] == pytest.approx(0.5)
    assert good["faces_lost"] == 1
    assert bad["psnr"] == bad["warped_psnr"] == bad["copied_psnr"] == good["copied_psnr"]
    assert bad["ms_ssim"] < 0.99
    assert 0.5 < bad["sharpness"] < 2


def test_clips_without_two_faces_are_no_use(tmp_path: Path) -> None:
    clip = make_footage("somebody", 2)
    blind = Footage(clip.name, clip.identity, clip.pictures, np.full_like(clip.landmarks, np.nan))
    some = clips()
    with pytest.raises(TrainingError, match="no clip to train on shows a face"):
        train(configure(tmp_path), TintTask(), footage={**some, "train": [blind]})
    with pytest.raises(TrainingError, match="no clip for validation shows a face"):
        train(configure(tmp_path), TintTask(), footage={**some, "validation": [blind]})


def test_training_starts_from_exported_weights(tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = Tint()
    path = tmp_path / "weights.safetensors"
    export_weights(network, {"configuration": "plain"}, path)
    out = tmp_path / "out"
    train(configure(out, steps=0, start_from=path), TintTask(), footage=clips())
    state = torch.load(out / "state.pt", weights_only=True)
    for kind in ("network", "average"):
        found = state[kind]["convolution.weight"]
        assert torch.equal(found, network.convolution.weight.detach().half().float())
    with pytest.raises(TrainingError, match="not --weights with --resume"):
        train(configure(out, start_from=path), TintTask(), footage=clips(), resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("configuration", "weights of another configuration: fancy"),
        ("network", "not weights of this network: .*missing: norm"),
        ("bytes", "not a complete safetensors file"),
        ("absent", "cannot be read"),
    ],
)
def test_other_weights_are_refused(tmp_path: Path, change: str, message: str) -> None:
    path = tmp_path / "weights.safetensors"
    network = Tint()
    if change == "network":
        del network.norm.weight
    if change != "absent":
        name = "fancy" if change == "configuration" else "plain"
        export_weights(network, {"configuration": name}, path)
    if change == "bytes":
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(TrainingError, match=message) as caught:
        train(configure(tmp_path / "out", start_from=path), TintTask(), footage=clips())
    assert "weights.safetensors" in str(caught.value)


def test_weights_beyond_float16_are_not_exported(tmp_path: Path) -> None:
    network = Tint()
    with torch.no_grad():
        network.state_dict()["norm.running_var"].fill_(1e6)
    with pytest.raises(TrainingError, match=r"norm\.running_var holds values that float16 cannot"):
        export_weights(network, {}, tmp_path / "weights.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_perceptual_loss_takes_part(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(TrunkFeatures().state_dict(), tmp_path / "trunk.pth")
    out = tmp_path / "out"
    train(configure(out, steps=1, trunk=tmp_path / "trunk.pth"), TintTask(), footage=clips())
    assert float(rows(out / "losses.csv")[0]["perceptual"]) > 0


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(TrainingError, match="out: cannot be made"):
        train(configure(tmp_path / "out"), TintTask(), footage=clips())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": None}, "training has no end"),
        ({"steps": -1}, "steps is -1; want 0 or more"),
        ({"minutes": 0.0}, "minutes is 0"),
        ({"minutes": float("nan")}, "minutes is nan"),
        ({"size": 80}, "picture size 80"),
        ({"size": 32}, "size is 32; want 64 up to 8192"),
        ({"steps": 10**400}, r"steps is more than 1e\+12; want 0 up to 1e\+12"),
        ({"size": 32 * 10**400}, r"size is more than 1e\+12; want 64 up to 8192"),
        ({"window": 32}, "window 32"),
        ({"window": 96}, "window 96"),
        ({"batch": 0}, "batch is 0; want 1 or more"),
        ({"threads": 0}, "threads is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"learning_rate": 0.0}, "learning rate is 0"),
        ({"learning_rate": float("inf")}, "learning rate is inf"),
        ({"average_decay": 1.5}, "average decay is 1.5; want 0 up to 1"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        train(configure(tmp_path / "out", **changes), TintTask(), footage=clips())
    assert not (tmp_path / "out").exists()


def test_shares_and_weights_are_checked() -> None:
    with pytest.raises(TrainingError, match=r"augmentation flip is 1\.1; want 0 up to 1"):
        Augmentation(flip=1.1)
    with pytest.raises(TrainingError, match=r"smallest crop is 0\.1"):
        Augmentation(smallest_crop=0.1)
    with pytest.raises(TrainingError, match="weight of ssim is -1; want 0 or more"):
        LossWeights(ssim=-1)


def test_a_device_that_nobody_has_ends_training(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="device: 'abacus' is not one of auto, cpu, cuda"):
        train(configure(tmp_path, device="abacus"), TintTask(), footage=clips())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_told() -> None:
    assert torch_device("auto").type == "cpu"
    with pytest.raises(ModelError, match="device=cuda: no such device here"):
        torch_device("cuda")


@pytest.mark.parametrize("model", trained_families())
def test_tasks_have_their_names_and_weights(model: str) -> None:
    task = build_task(model)
    assert task.name == model
    for name in task.loss_names:
        changed = build_task(model, weights={name: 7.0})
        assert getattr(changed, f"{name}_weight") == 7.0
    with pytest.raises(TrainingError, match=f"{model} has no loss 'charm'"):
        build_task(model, weights={"charm": 1.0})


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("mesh", {}, "no network 'mesh' can be trained"),
        ("face", {"variant": "jvet_v2"}, "face has no variants"),
        ("face", {"compact_features": 9}, "0..8 values"),
        ("fomm", {"compact_features": 1}, "fomm has no compact features"),
        ("cfte", {"variant": "jvet_v9"}, "cfte has no variant 'jvet_v9'"),
        ("face", {"weights": {"warp": -1.0}}, "weight of warp is -1"),
    ],
)
def test_options_that_a_network_does_not_have(
    model: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        build_task(model, **options)


def test_records_are_json(tmp_path: Path) -> None:
    configuration: TrainingConfiguration = replace(configure(tmp_path), skip=("a", "b"))
    record = json.loads(json.dumps(configuration.as_record()))
    assert record["out"] == str(tmp_path)
    assert record["skip"] == ["a", "b"]
