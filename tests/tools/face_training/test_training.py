"""From a clip to weights, as `python -m tools.face_training` goes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from gfvc.demo_clip import make_demo_clip
from models.errors import TrainingError
from models.face.blocks import FaceConfiguration
from models.face.card import CARD, FIRST_CARD
from models.face.network import FaceNetwork
from models.face.torch_rendering import load_face_network
from models.training.footage import TrainingClip
from models.training.trunk import TrunkFeatures
from tests.models.reading import reading_here
from tools.face_training.__main__ import main
from tools.face_training.data import PairData
from tools.face_training.learn import Learner, learn, load_start, states
from tools.face_training.places import LEFT_OUT, place_clip
from tools.face_training.prepare import Work, prepare_clip
from tools.face_training.prepared import NO_PICTURE, load_prepared
from tools.face_training.settings import Settings

WORK = Work(pairs=1, singles=1, driven=2)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's face as a clip to learn from, and as one to validate with."""
    folder = tmp_path_factory.mktemp("prepared")
    clips = tmp_path_factory.mktemp("clips")
    for split in ("train", "validation"):
        path = clips / f"{split}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.height, stream.width = 256, 256
            for picture in make_demo_clip(1.0):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        said = prepare_clip(TrainingClip(path, split, split), 256, clips / "cache", folder, WORK)
        assert said == f"{split}: 8 pictures from 3 coded ones"
    return folder


def test_pictures_lie_between_their_references(prepared: Path) -> None:
    clip = load_prepared(prepared / "train.npz")
    pairs, singles = clip.references[:4], clip.references[4:]
    assert pairs.tolist() == [[0, 1]] * 4
    assert singles.tolist() == [[2, NO_PICTURE]] * 4
    assert ((clip.positions[:4] > 0) & (clip.positions[:4] < 1)).all()
    assert (np.diff(clip.positions[:4])[::2] > 0).all()
    assert clip.later_values[1].any()
    assert not clip.later_values[[0, 2]].any()


def test_what_the_network_is_given_draws_the_pictures_well_already(prepared: Path) -> None:
    placed = place_clip(prepared, "train")
    assert placed.pictures.shape[1:] == placed.coded.shape[1:] == (256, 256, 3)
    assert (placed.leads[4:] == LEFT_OUT).all()
    assert (np.abs(placed.leads[:4]) < 100).all()
    assert not placed.flows[4:, 2:].any()
    with torch.inference_mode():
        network = load_face_network(FIRST_CARD.path)  # type: ignore[arg-type] # it has weights
        for row in range(4, 8):
            picture, first, _ = placed.rows[row]
            key, wanted = (
                torch.from_numpy(pictures[number]).permute(2, 0, 1)[None] / 255
                for pictures, number in ((placed.coded, first), (placed.pictures, picture))
            )
            landmarks = torch.from_numpy(placed.coded_landmarks[[first]])
            flow = torch.from_numpy(placed.flows[[row], :2]).float()
            compact = torch.zeros(1, 4)
            driven = torch.from_numpy(placed.landmarks[[row]])
            drawn = network.draw(network.encode_key(key, landmarks), driven, flow, compact).picture
            assert (drawn - wanted).abs().mean() < 0.04


def test_the_first_network_is_where_learning_starts() -> None:
    configuration = FaceConfiguration(bottleneck_blocks=3, middle_blocks=2, fusing_channels=4)
    network = FaceNetwork(configuration)
    assert FIRST_CARD.path is not None
    load_start(network, FIRST_CARD.path, lambda text: None)
    network.eval()
    first = load_face_network(FIRST_CARD.path)
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 256, 256)
    key, landmarks = torch.rand(2, 1, 478, 2) * 0.5 + 0.25
    flow = 0.02 * torch.randn(1, 2, 256, 256)
    with torch.inference_mode():
        unsent = torch.zeros(1, 4)
        old = first.draw(first.encode_key(picture, key), landmarks, flow, unsent).picture
        new = network.draw(network.encode_key(picture, key), landmarks, flow).picture
    assert (old - new).abs().max() < 1e-5


@pytest.fixture
def arguments(prepared: Path, tmp_path: Path) -> list[str]:
    """To learn into `tmp_path / "out"`."""
    torch.manual_seed(0)
    save_file(TrunkFeatures().state_dict(), tmp_path / "trunk.safetensors")
    words = ["learn", str(prepared), str(tmp_path / "out"), "--placed", str(tmp_path / "placed")]
    words += ["--trunk", str(tmp_path / "trunk.safetensors"), "--device", "cpu", "--jobs", "1"]
    words += ["--pairs", "1", "--report-seconds", "0"]
    words += ["--bottleneck-blocks", "1", "--middle-blocks", "1", "--fusing-channels", "4"]
    return [*words, "--adversarial-from", "0"]


def test_weights_come_out_and_are_better_than_nothing(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--minutes", "0.05"]) == 0
    said = capsys.readouterr().err
    assert "8 pictures of 1 clips, 8 to validate" in said
    assert "adversarial_parts" in said
    assert load_face_network(tmp_path / "out" / "face.safetensors").fusing is not None
    assert (tmp_path / "out" / "sheet.png").stat().st_size > 0
    assert main(arguments) == 1
    assert "out: learning was begun there; go on with --resume" in capsys.readouterr().err


@pytest.fixture(scope="module")
def small(prepared: Path) -> PairData:
    """The clip at a quarter of the size."""
    placed = place_clip(prepared, "train")
    thinned = {name: getattr(placed, name)[:, ::4, ::4] for name in ("pictures", "coded")}
    data = PairData(torch.device("cpu"))
    data.add("someone", placed._replace(flows=placed.flows[..., ::4, ::4], **thinned))
    return data


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is learnt in float32, which processors are faster at, and read in this process."""
    monkeypatch.setattr(Learner, "_autocast", lambda self: nullcontext())
    with reading_here():
        yield


def small_learner(minutes: float = 1.0) -> Learner:
    torch.manual_seed(0)
    configuration = FaceConfiguration(channels=(4, 8, 8), motion_channels=4, fusing_channels=4)
    settings = Settings(minutes=minutes, pairs=1, adversarial_from=0, warm_up=2, report_seconds=0)
    trunk = TrunkFeatures().eval().requires_grad_(False)
    return Learner(FaceNetwork(configuration), trunk, settings, torch.device("cpu"))


def networks_of(learner: Learner) -> list[nn.Module]:
    return [learner.network, learner.average, *learner.adversary.networks.values()]


@pytest.mark.usefixtures("exact")
def test_a_resume_is_exact(small: PairData, tmp_path: Path) -> None:
    batches = [small.batch(1, np.random.default_rng(number)) for number in range(3)]
    straight = small_learner()
    for number, batch in enumerate(batches):
        if number == 2:
            straight.save(tmp_path)
        straight.take_step(batch, 0.2 + 0.1 * number)
    resumed = small_learner()
    resumed.restore(tmp_path)
    assert resumed.step == 2
    resumed.take_step(batches[2], 0.4)
    for wanted, found in zip(networks_of(straight), networks_of(resumed), strict=True):
        for name, tensor in found.state_dict().items():
            assert torch.equal(tensor, wanted.state_dict()[name]), name


@pytest.mark.usefixtures("exact")
def test_learning_goes_on_with_steps_and_time(small: PairData, tmp_path: Path) -> None:
    said: list[str] = []
    first = small_learner(minutes=0.02)
    learn(first, small, small, tmp_path, said.append)
    assert states(tmp_path) == [first.step]
    assert first.elapsed >= 1.2
    resumed = small_learner(minutes=(first.elapsed + 1.2) / 60)
    resumed.restore(tmp_path)
    assert (resumed.step, resumed.elapsed) == (first.step, first.elapsed)
    learn(resumed, small, small, tmp_path, said.append)
    assert resumed.step > first.step
    assert any(f"step {first.step + 1}: l1" in line for line in said)
    assert states(tmp_path) == [resumed.step]
    assert len(list(tmp_path.glob("*.pt"))) == 3


def test_files_of_a_state_are_small_enough_to_be_carried() -> None:
    network = load_face_network(CARD.path)  # type: ignore[arg-type] # it has weights
    values = sum(tensor.numel() for tensor in network.state_dict().values())
    # Of weights and average, and of the two moments of each weight: in float32.
    assert 2 * 4 * values < 15 << 20


def test_a_state_that_cannot_be_used_is_told_in_a_line(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert main([*arguments, "--resume"]) == 1
    assert capsys.readouterr().err == f"{out}: no state to go on from\n"
    for name in ("network", "optimiser", "discriminators"):
        (out / f"{name}-7.pt").write_bytes(b"rubbish")
    assert main([*arguments, "--resume"]) == 1
    assert "network-7.pt: damaged or no state of a training" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--minutes", "-1"], "minutes is -1; want 1e-09 or more"),
        (["--minutes", "nan"], "minutes is nan; want 1e-09 up to 1e+12"),
        (["--pairs", "0"], "pairs is 0; want 1 or more"),
        (["--final-rate", "2"], "final rate is 2; want 0 up to 1"),
        (["--average-decay", "-0.1"], "average decay is -0.1; want 0 up to 1"),
        (["--adversarial-ramp", "0"], "adversarial ramp is 0; want 1e-09 up to 1"),
        (["--l1", "-3"], "l1 is -3; want 0 or more"),
        (["--jobs", "0"], "jobs is 0; want 1 or more"),
        (["--bottleneck-blocks", "0"], "the network has 1.."),
        (["--device", "abacus"], "device: 'abacus' is not one of auto, cpu, cuda, cuda:N"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors: weights cannot be read"),
        (["--weights", "x.safetensors", "--resume"], "not --weights with --resume"),
    ],
)
def test_settings_that_make_no_sense_are_told_in_a_line(
    arguments: list[str], words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, *words]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_clips_of_both_splits_are_wanted(
    prepared: Path, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "few" / "train.npz").write_bytes((prepared / "train.npz").read_bytes())
    arguments[1] = str(tmp_path / "few")
    assert main(arguments) == 1
    assert "few: no prepared clip (NAME.npz) of the split validation" in capsys.readouterr().err


def test_a_damaged_clip_is_told_in_a_line(
    prepared: Path, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(prepared, damaged)
    (damaged / "train.coded.hevc").write_bytes(b"")
    arguments[1] = str(damaged)
    assert main(arguments) == 1
    assert "train.coded.hevc: no video that can be read" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no table"])
def test_a_damaged_table_is_told_in_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.npz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"clip\.npz: no prepared clip that can be read"):
        load_prepared(path)
    np.savez(path, identity=np.array("someone"))
    with pytest.raises(TrainingError, match="split"):
        load_prepared(path)


def test_learning_needs_neither_tracker_nor_video_library() -> None:
    # The machine with the GPU may have neither.
    blocked = "import sys; sys.modules.update({'av': None, 'mediapipe': None})\n"
    code = f"{blocked}import tools.face_training.learn, tools.face_training.places"
    subprocess.run([sys.executable, "-c", code], check=True)
