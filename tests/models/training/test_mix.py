"""Weights between those of two moments of a training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.errors import TrainingError
from models.training.mix import main, mix


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    for path, value in zip(paths, (1.0, 3.0), strict=True):
        tensors = {"weight": torch.full((2, 3), value).half(), "count": torch.tensor(int(value))}
        save_file(tensors, path, {"step": str(int(value))})
    return paths


def test_weights_are_mixed_and_counts_are_not(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert main([str(files[0]), str(files[1]), "--share", "0.25", "--out", str(out)]) == 0
    mixed = load_file(out)
    assert torch.equal(mixed["weight"], torch.full((2, 3), 1.5).half())
    assert int(mixed["count"]) == 3
    with safe_open(out, framework="pt") as file:
        assert file.metadata() == {"step": "3"}


def test_bad_files_are_refused(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, other)
    with pytest.raises(TrainingError, match="another network"):
        mix(files[0], other, 0.5, out)
    with pytest.raises(TrainingError, match="not 0 to 1"):
        mix(*files, 1.5, out)
    with pytest.raises(TrainingError, match="exists already"):
        mix(*files, 0.5, files[1])
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(files[0].read_bytes()[:20])
    assert main([str(broken), str(files[1]), "--out", str(out)]) == 1
    assert "broken.safetensors: not a safetensors file" in capsys.readouterr().err
    assert not out.exists()
