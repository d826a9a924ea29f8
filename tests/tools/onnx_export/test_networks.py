"""Small variants of the published networks as graphs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.published.tiny import tiny_cfte, tiny_fomm, tiny_fv2v
from tools.onnx_export.__main__ import main
from tools.onnx_export.graphs import export_cfte, export_fomm, export_fv2v


def test_fomm(tmp_path: Path) -> None:
    rows = export_fomm(tiny_fomm(), tmp_path, "", 128)
    assert [row.graph for row in rows] == [
        "analyse.onnx positions",
        "analyse.onnx jacobians",
        "prepare.onnx features",
        "prepare.onnx reduced",
        "animate.onnx prediction",
    ]
    assert all(row.ok for row in rows), rows


def test_cfte(tmp_path: Path) -> None:
    rows = export_cfte(tiny_cfte(), tmp_path, "")
    assert len(rows) == 4
    assert all(row.ok for row in rows), rows


def test_fv2v(tmp_path: Path) -> None:
    rows = export_fv2v(tiny_fv2v(), tmp_path, "", 128)
    assert len(rows) == 7
    assert all(row.ok for row in rows), rows


def test_a_file_that_is_no_checkpoint_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"rubbish")
    assert main(["fomm", "--weights", str(weights), "--out", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert "weights.pth" in shown.err
    assert not (tmp_path / "out").exists()
