"""From a clip to weights, as `python -m tools.post_filter_training` goes."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gfvc.demo_clip import demo_still, make_demo_clip
from gfvc.halving import FINER, halved
from models.errors import TrainingError
from models.post_filter.network import (
    PostFilterConfiguration,
    PostFilterNetwork,
    load_post_filter,
)
from models.training.footage import find_clips
from tools.face_training.places import read_pictures
from tools.post_filter_training import prepare
from tools.post_filter_training.__main__ import main
from tools.post_filter_training.data import load_data
from tools.post_filter_training.learn import _shares, begin_with
from tools.post_filter_training.prepared import CodedVideo, load_coded_video, read_stream

SIDE = 96
SPARSE, DENSE = 3, 2


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's face as a clip to learn from, and as one to validate with."""
    folder = tmp_path_factory.mktemp("clips")
    for split in ("train", "validation"):
        (folder / split).mkdir()
        with av.open(str(folder / split / f"{split}_0.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=25)
            stream.height = stream.width = SIDE
            for picture in make_demo_clip(0.4, SIDE):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return folder


def prepare_clips(clips: Path, folder: Path, *, halved: bool) -> Path:
    """Prepare few pictures of each clip in a folder; return it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "SPARSE", SPARSE)
        patch.setattr(prepare, "DENSE", DENSE)
        for clip in find_clips(clips, None, ()):
            said = prepare.prepare_video(clip, folder, prepare.Form(360, halved))
            assert said == f"{clip.split}_0: 5 pictures, 7 sequences of them"
    return folder


@pytest.fixture(scope="module")
def prepared(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips, their pictures coded as they are."""
    return prepare_clips(clips, tmp_path_factory.mktemp("prepared"), halved=False)


def test_sequences_are_coded_as_the_base_layer_has_them(prepared: Path) -> None:
    video = load_coded_video(prepared / "train_0.npz")
    assert video.split == "train"
    pictures = read_pictures(prepared / video.video)
    assert pictures.shape == (SPARSE + DENSE, SIDE, SIDE, 3)
    assert len(video.streams) == len(prepare.SEQUENCES)
    for stream, sequence in zip(video.streams, prepare.SEQUENCES, strict=True):
        expected = [3, 4] if sequence.dense else [0, 1, 2]
        assert (stream.codec, stream.pictures.tolist()) == (sequence.codec, expected)
        for number, decoded in zip(stream.pictures, read_stream(prepared, stream), strict=True):
            apart = np.abs(decoded.astype(int) - pictures[number]).mean()
            assert 0.3 < apart < 12


def test_stills_become_clips_of_a_camera_that_drifts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "SPARSE", SPARSE)
    monkeypatch.setattr(prepare, "DENSE", DENSE)
    (tmp_path / "stills").mkdir()
    with pytest.raises(TrainingError, match="has no stills"):
        prepare.find_stills(tmp_path / "stills")
    cv2.imwrite(str(tmp_path / "stills" / "demo.png"), demo_still(SIDE)[..., ::-1])
    [still] = prepare.find_stills(tmp_path / "stills")
    said = prepare.prepare_still(still, tmp_path, prepare.Form(360))
    assert said == "still_demo: 5 pictures, 3 sequences of them"
    video = load_coded_video(tmp_path / "still_demo.npz")
    assert video.split == "train"
    pictures = read_pictures(tmp_path / video.video).astype(int)
    changes = np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3))
    assert (changes > 0.5).all()
    still.write_bytes(b"no picture")
    (tmp_path / "still_demo.npz").unlink()
    with pytest.raises(TrainingError, match=r"demo\.png: not a picture that can be read"):
        prepare.prepare_still(still, tmp_path, prepare.Form(360))


@pytest.fixture(scope="module")
def halves(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips, their pictures coded at half the width and height."""
    return prepare_clips(clips, tmp_path_factory.mktemp("halves"), halved=True)


def test_halves_are_coded_of_the_same_pictures(halves: Path, prepared: Path) -> None:
    video = load_coded_video(halves / "train_0.npz")
    pictures = read_pictures(halves / video.video)
    assert np.array_equal(pictures, read_pictures(prepared / video.video))
    for stream in video.streams:
        for number, decoded in zip(stream.pictures, read_stream(halves, stream), strict=True):
            assert decoded.shape == (SIDE // 2, SIDE // 2, 3)
            apart = np.abs(decoded.astype(int) - halved(pictures[number])).mean()
            assert 0.3 < apart < 12


def test_cut_outs_of_halves_show_what_real_ones_show(halves: Path) -> None:
    data = load_data(halves, torch.device("cpu"), 1)["train"]
    assert data.enlarging
    cut_outs = data.batch(8, 64, 0.5, 2.0, np.random.default_rng(0))
    assert cut_outs.decoded.shape == (8, 3, 32, 32)
    assert cut_outs.real.shape == (8, 3, 64, 64)
    enlarged = torch.nn.functional.interpolate(cut_outs.decoded, scale_factor=2, mode="bicubic")
    assert (enlarged - cut_outs.real).abs().mean() < 0.05
    whole = next(data.all())
    assert whole.real.shape[2] == 2 * whole.decoded.shape[2]


def test_halves_and_others_are_not_mixed(halves: Path, prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    for path in halves.glob("train_0.*"):
        shutil.copy(path, tmp_path / path.name.replace("train_0", "train_1"))
    table = dict(np.load(halves / "train_0.npz"))
    table["names"] = np.array([name.replace("train_0", "train_1") for name in table["names"]])
    np.savez(tmp_path / "train_1.npz", **table)
    data = load_data(tmp_path, torch.device("cpu"), 1)
    with pytest.raises(TrainingError, match="prepare two folders"):
        _ = data["train"].enlarging


def test_learning_to_enlarge_follows_from_the_data(halves: Path, tmp_path: Path) -> None:
    words = ["learn", str(halves), str(tmp_path), "--device", "cpu", "--jobs", "1"]
    words += ["--channels", "4", "6", "8", "--blocks", "1", "1", "1", "--pictures", "2"]
    words += ["--side", "64", "--minutes", "0.05", "--report-seconds", "0", "--perceptual", "0"]
    assert main(words) == 0
    network = load_post_filter(tmp_path / "post_filter.safetensors")
    qps = load_data(halves, torch.device("cpu"), 1)["train"].qps
    expected = PostFilterConfiguration((4, 6, 8), (1, 1, 1), enlarging=True, qps=qps)
    assert network.configuration == expected


def test_learning_goes_on_from_weights(prepared: Path, tmp_path: Path) -> None:
    """Also from those of a network that was told nothing, which it is as long as it has not."""
    torch.manual_seed(0)
    first, then = (PostFilterNetwork(PostFilterConfiguration((4, 6, 8), (1, 1, 1))) for _ in "12")
    for value in first.parameters():
        torch.nn.init.normal_(value, std=0.05)
    state = first.state_dict()
    save_file(state, tmp_path / "told.safetensors")
    del state["told.weight"]
    save_file(state, tmp_path / "untold.safetensors")
    picture, qp = torch.rand(1, 3, 16, 24), torch.tensor([40.0])
    with torch.inference_mode():
        begin_with(then, tmp_path / "told.safetensors")
        assert torch.equal(then(picture, qp), first(picture, qp))
        begin_with(then, tmp_path / "untold.safetensors")
        torch.nn.init.zeros_(first.told.weight)
        assert torch.equal(then(picture, qp), first(picture, qp))
    words = ["learn", str(prepared), str(tmp_path), "--device", "cpu", "--jobs", "1"]
    words += ["--weights", str(tmp_path / "told.safetensors"), "--perceptual", "0"]
    words += ["--pictures", "2", "--side", "64", "--minutes", "0.05"]
    assert main(words) == 1  # of another shape
    words += ["--channels", "4", "6", "8", "--blocks", "1", "1", "1"]
    words += ["--learning-rate", "1e-9", "--weight-decay", "0"]
    assert main(words) == 0
    learned = load_post_filter(tmp_path / "post_filter.safetensors")
    assert (learned.enter.weight - first.enter.weight).abs().max() < 1e-3


def test_fine_pictures_count_as_much_as_coarse_ones() -> None:
    real = torch.full((2, 3, 64, 64), 0.5)
    unfiltered = real + torch.tensor([0.01, 0.04])[:, None, None, None]
    shares = _shares(unfiltered, real)
    assert torch.allclose(shares, torch.tensor([2.0, 0.5]), rtol=1e-3)
    far = (unfiltered - real).abs().mean(dim=(1, 2, 3)) * shares
    assert torch.allclose(far[0], far[1], rtol=1e-3)
    assert torch.isfinite(_shares(real, real)).all()


def test_tables_say_how_pictures_are_coded(prepared: Path, halves: Path) -> None:
    video = load_coded_video(prepared / "train_0.npz")
    finer_streams = load_coded_video(halves / "train_0.npz").streams
    for stream, finer in zip(video.streams, finer_streams, strict=True):
        key, others = stream.qps
        assert prepare.LOWEST_QP <= key <= prepare.HIGHEST_QP
        assert key <= others <= 45
        assert finer.qps == (key - FINER, others - FINER)
    data = load_data(prepared, torch.device("cpu"), 1)["train"]
    batch = data.batch(32, 64, 0.5, 2.0, np.random.default_rng(0))
    qps = {qp for stream in video.streams for qp in stream.qps}
    assert data.qps == (min(qps), max(qps))
    assert set(batch.qps.tolist()) <= qps
    whole = next(data.all())
    assert whole.qps.tolist() == [
        video.streams[0].qps[0],
        *(SPARSE - 1) * [video.streams[0].qps[1]],
    ]


def test_mouth_and_eyes_are_found(prepared: Path) -> None:
    video = load_coded_video(prepared / "train_0.npz")
    mouth, right, left = video.parts[0]
    assert right[0] < mouth[0] < left[0]
    assert max(right[1], left[1]) < mouth[1]
    assert 0.05 < right[2] < mouth[2] < 0.6


def test_cut_outs_are_of_the_same_place(prepared: Path) -> None:
    data = load_data(prepared, torch.device("cpu"), 1)["train"]
    assert data.rows == 4 * SPARSE + 3 * DENSE
    cut_outs = data.batch(8, 64, 0.5, 2.0, np.random.default_rng(0))
    assert cut_outs.decoded.shape == cut_outs.real.shape == (8, 3, 64, 64)
    assert (cut_outs.decoded - cut_outs.real).abs().mean() < 0.05
    assert cut_outs.weights.min() >= 1
    assert 2 < cut_outs.weights.max() <= 3
    with pytest.raises(TrainingError, match=f"pictures of {SIDE}x{SIDE} have no cut-outs of 128"):
        data.batch(1, 128, 0.5, 2.0, np.random.default_rng(0))


def test_learning_leaves_weights_that_can_be_used(prepared: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["learn", str(prepared), str(out), "--device", "cpu", "--jobs", "1"]
    words += ["--channels", "4", "6", "8", "--blocks", "1", "1", "1", "--pictures", "2"]
    words += ["--side", "64", "--minutes", "0.05", "--report-seconds", "0", "--perceptual", "0"]
    assert main(words) == 0
    network = load_post_filter(out / "post_filter.safetensors")
    qps = load_data(prepared, torch.device("cpu"), 1)["train"].qps
    assert network.configuration == PostFilterConfiguration((4, 6, 8), (1, 1, 1), qps=qps)
    log = (out / "log.txt").read_text()
    assert "steps/s, l1 " in log
    assert "filtered_psnr" in log
    assert (out / "sheet.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--channels", "0", "6", "8"], "are 1 or more"),
        (["--minutes", "0"], "minutes"),
        (["--face-share", "2"], "face share"),
        (["--trunk", "nowhere.pth"], "nowhere.pth"),
        (["--weights", "nowhere.safetensors", "--perceptual", "0"], "nowhere.safetensors"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str],
    reason: str,
    prepared: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["learn", str(prepared), str(tmp_path / "out"), "--device", "cpu", *words]
    assert main(arguments) == 1
    assert reason in capsys.readouterr().err.splitlines()[-1]


def test_damaged_tables_and_streams_are_told(prepared: Path, tmp_path: Path) -> None:
    video = load_coded_video(prepared / "train_0.npz")
    with pytest.raises(TrainingError, match=r"train_0\.0\.vvc: cannot be read|cannot be decoded"):
        read_stream(tmp_path, video.streams[0])
    stream = video.streams[0]
    whole = (prepared / stream.name).read_bytes()
    (tmp_path / stream.name).write_bytes(whole[: len(whole) // 3])
    with pytest.raises(TrainingError, match=r"train_0\.0\.vvc"):
        read_stream(tmp_path, stream)
    (tmp_path / "other.npz").write_bytes(b"no table")
    with pytest.raises(TrainingError, match="no table that can be read"):
        load_coded_video(tmp_path / "other.npz")
    CodedVideo("test/other.mkv", video.parts, video.streams).save(tmp_path / "other.npz")
    with pytest.raises(TrainingError, match="is of no split train, validation"):
        load_data(tmp_path, torch.device("cpu"), 1)
    with pytest.raises(TrainingError, match="no prepared video"):
        load_data(tmp_path / "empty", torch.device("cpu"), 1)
