"""What the README shows of Python runs as it stands there, and files are named by text."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import gfvc
from tests.conftest import REPOSITORY


def test_the_readme_s_lines_run(
    short_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    shutil.copy(short_clip, tmp_path / "talk.mp4")
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    assert float(capsys.readouterr().out) > 0
    assert Path("out.mp4").stat().st_size > 0


def test_edit_and_export_take_text_too(face_stream: Path, tmp_path: Path) -> None:
    edited, preview, motion = (
        str(tmp_path / name) for name in ("b.265", "preview.png", "motion.csv")
    )
    gfvc.edit(str(face_stream), edited, gfvc.FaceEdit(yaw=4), preview=preview)
    gfvc.export(edited, motion)
    assert all(Path(path).stat().st_size > 0 for path in (edited, preview, motion))
