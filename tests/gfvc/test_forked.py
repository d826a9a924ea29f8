"""A process that was forked after gfvc was used says so: its libraries would wait for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import multiprocessing, sys
from pathlib import Path
import gfvc
from models import ModelError
from models.forking import begin_threads

stream, folder = Path(sys.argv[1]), Path(sys.argv[2])
CALLS = {
    "encode": lambda: gfvc.encode(stream, folder / "a.266"),
    "decode": lambda: gfvc.decode(stream, folder / f"{len(list(folder.iterdir()))}.y4m"),
    "export": lambda: gfvc.export(stream, folder / "a.csv"),
    "edit": lambda: gfvc.edit(stream, folder / "b.266", gfvc.FaceEdit(yaw=4)),
    "models": begin_threads,
}

def call(name):
    try:
        CALLS[name]()
    except (gfvc.GfvcError, ModelError) as error:
        return f"{type(error).__name__}: {error}"
    return "done"

def in_children(method, names):
    # A process that waits for ever must not be waited for so.
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map_async(call, names).get(60)

if __name__ == "__main__":
    print(*in_children("fork", ["decode"]), sep="\\n")
    print(call("decode"))
    print(*in_children("fork", CALLS), sep="\\n")
    print(*in_children("spawn", ["decode"]), *in_children("forkserver", ["decode"]), sep="\\n")
    print(call("decode"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_forks_are_told_and_other_processes_go_on(face_stream: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    (tmp_path / "out").mkdir()
    ended = subprocess.run(
        [sys.executable, program, face_stream, tmp_path / "out"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = ended.stdout.splitlines()
    assert lines[:2] == ["done"] * 2, ended.stderr[-2000:]
    assert lines[-3:] == ["done"] * 3, ended.stderr[-2000:]
    told = lines[2:-3]
    assert [line.partition(": ")[0] for line in told] == [*["GfvcError"] * 4, "ModelError"]
    for line in told:
        assert ": this process was forked after gfvc was used in the one that started it" in line
        assert '"spawn"' in line
    assert len(list((tmp_path / "out").iterdir())) == 5
