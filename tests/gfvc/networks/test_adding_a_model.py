"""A network that is added by the steps of docs/adding_a_model.md alone works everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from gfvc.demo_clip import RATE
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from models.family import FAMILIES
from tests.conftest import REPOSITORY
from tests.gfvc.networks import shade
from tests.gfvc.support import CommandLine
from tools.onnx_export.__main__ import main as export_onnx

PAGE = REPOSITORY / "docs" / "adding_a_model.md"


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GFVC_MODELS", str(tmp_path / "weights"))
    monkeypatch.setitem(FAMILIES, shade.ROW.name, shade.ROW)


def dimmed(pictures: list[Picture], count: int) -> list[Picture]:
    """Pictures that become darker."""
    return [
        np.round(picture * (1 - 0.03 * number)).astype(np.uint8)
        for number, picture in enumerate(pictures[:count])
    ]


def test_it_is_trained_imported_coded_and_exported(
    tmp_path: Path,
    demo_pictures: list[Picture],
    command: CommandLine,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for split in ("train", "validation"):
        (tmp_path / "clips" / split).mkdir(parents=True)
        clip = tmp_path / "clips" / split / f"{split}.mkv"
        write_video(clip, dimmed(demo_pictures, 4), RATE)
    out = tmp_path / "run"
    options = ["--model", "shade", "--steps", "2", "--batch", "1", "--device", "cpu"]
    trained = command("train", tmp_path / "clips", "--out", out, *options)
    assert trained.status == 0, trained.err
    assert "psnr" in trained.out
    weights = out / "shade-best.safetensors"

    listed = command("models")
    assert "shade\tno weights\ttest:shade:1\t" in listed.out
    imported = command("models", "import", "shade", weights)
    assert imported.status == 0, imported.err
    assert re.search(r"shade\ttest:shade:1:plain:[0-9a-f]{8}\t", imported.out)

    pictures = dimmed(demo_pictures, 6)
    clip, stream = tmp_path / "clip.mkv", tmp_path / "stream.265"
    write_video(clip, pictures, RATE)
    coding = ["--model", "shade", "--crop", "none", "--base-encoder", "ffmpeg-libx265"]
    assert command("encode", clip, stream, *coding).status == 0
    assert command("decode", stream, tmp_path / "out.mkv").status == 0
    decoded = list(read_pictures(tmp_path / "out.mkv", RATE))
    assert len(decoded) == len(pictures)
    # Nothing of the face moves, but the brightness of every quarter does.
    for source, drawn in zip(pictures, decoded, strict=True):
        for rows in (slice(0, 128), slice(128, 256)):
            assert abs(drawn[rows].mean() - source[rows].mean()) < 4
    assert decoded[0].mean() - decoded[-1].mean() > 10

    capfd.readouterr()
    graphs = tmp_path / "graphs"
    assert export_onnx(["shade", "--weights", str(weights), "--out", str(graphs)]) == 0
    table = capfd.readouterr().out
    assert "analyse.onnx shade" in table
    assert "animate.onnx prediction" in table


def test_the_module_follows_the_page() -> None:
    """Each step of the page is a part of the module, under the same title."""
    steps = re.findall(r"^(\d)\. \*\*(.+?)\.\*\*", PAGE.read_text(), re.MULTILINE)
    parts = re.findall(r"^# (\d)\. (.+)\.$", Path(shade.__file__).read_text(), re.MULTILINE)
    assert parts == steps
    assert len(steps) == 6


def test_the_page_names_what_there_is() -> None:
    for name in re.findall(r"`((?:models|tools|tests)/[\w/]+\.py)`", PAGE.read_text()):
        assert (REPOSITORY / name).is_file(), name
