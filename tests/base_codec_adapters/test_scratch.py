"""Temporary folders: gone with the block, and those of killed runs with the next run."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from base_codec_adapters import scratch
from base_codec_adapters.scratch import remove_stale_folders, scratch_folder

PREFIX = "test-"

# Makes a folder with something in it, says so, and waits.
RUN = f"""
import sys, time
from pathlib import Path
from base_codec_adapters.scratch import scratch_folder
with scratch_folder({PREFIX!r}, Path(sys.argv[1])) as folder:
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text("data")
    print(folder.name, flush=True)
    time.sleep(600)
"""


@contextmanager
def other_run(parent: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that holds a folder, and the folder's name."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(parent)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_tidied", set())


def test_the_folder_goes_with_the_block(tmp_path: Path) -> None:
    with scratch_folder(PREFIX, tmp_path) as folder:
        assert folder.parent == tmp_path
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("data")
    assert names(tmp_path) == []
    with pytest.raises(KeyboardInterrupt), scratch_folder(PREFIX, tmp_path):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_the_next_run_removes_what_killed_runs_left(tmp_path: Path, number: signal.Signals) -> None:
    with other_run(tmp_path) as (first, _), other_run(tmp_path) as (second, _):
        for process in (first, second):
            process.send_signal(number)
            process.wait()
        assert len(names(tmp_path)) == 2
    with scratch_folder(PREFIX, tmp_path) as folder:
        assert names(tmp_path) == [folder.name]


def test_folders_of_live_runs_are_kept(tmp_path: Path) -> None:
    with other_run(tmp_path) as (_, name):
        with scratch_folder(PREFIX, tmp_path):
            assert (tmp_path / name / "sub" / "file").read_text() == "data"
        assert remove_stale_folders(PREFIX, tmp_path) == 0
        assert names(tmp_path) == [name]
    assert remove_stale_folders(PREFIX, tmp_path) == 1
    assert names(tmp_path) == []


def test_own_folders_are_kept(tmp_path: Path) -> None:
    with scratch_folder(PREFIX, tmp_path) as first:
        assert remove_stale_folders(PREFIX, tmp_path) == 0
        with scratch_folder(PREFIX, tmp_path) as second:
            assert first.is_dir()
            assert second.is_dir()


def named_like_ours(name: str, prefix: str = PREFIX, *, host: str = "", boot: str = "") -> str:
    own = scratch._machine()
    return f"{prefix}{host or own[0]}-{boot or own[1]}-{name}"


def test_only_our_own_names_are_touched(tmp_path: Path) -> None:
    """A stale folder is removed; what is of another kind, machine or program is not."""
    stale = [
        named_like_ours("aaaaaaa1"),
        named_like_ours("aaaaaaa2", host="00000000"),  # another container on this machine
        named_like_ours("aaaaaaa3", boot="00000000"),  # before this machine was started again
    ]
    kept = [
        named_like_ours("aaaaaaa4", host="00000000", boot="00000000"),  # another machine
        named_like_ours("aaaaaaa5", prefix="other-"),
        named_like_ours("a5"),
        f"{PREFIX}x8aks82k",
        PREFIX,
    ]
    for name in (*stale, *kept):
        (tmp_path / name).mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").touch()
    link, plain = named_like_ours("aaaaaaa6"), named_like_ours("aaaaaaa7")
    (tmp_path / link).symlink_to(target)
    (tmp_path / plain).touch()
    assert remove_stale_folders(PREFIX, tmp_path) == 3
    assert names(tmp_path) == sorted([*kept, link, plain, "target"])
    assert names(target) == ["file"]


def test_folders_of_other_users_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / named_like_ours("aaaaaaa1")).mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    assert remove_stale_folders(PREFIX, tmp_path) == 0
    monkeypatch.undo()
    assert remove_stale_folders(PREFIX, tmp_path) == 1


def test_a_prefix_is_taken_to_the_letter(tmp_path: Path) -> None:
    (tmp_path / named_like_ours("aaaaaaa1", prefix="xgfvc-")).mkdir()
    assert remove_stale_folders(".gfvc-", tmp_path) == 0


def test_a_run_looks_once_for_each_prefix_and_folder(tmp_path: Path) -> None:
    """A run that codes a thousand key pictures does not read the folder a thousand times."""
    with scratch_folder(PREFIX, tmp_path):
        pass
    (tmp_path / named_like_ours("aaaaaaa1")).mkdir()
    (tmp_path / named_like_ours("aaaaaaa1", prefix="other-")).mkdir()
    with scratch_folder(PREFIX, tmp_path):
        pass
    assert len(names(tmp_path)) == 2
    with scratch_folder("other-", tmp_path):
        pass
    assert names(tmp_path) == [named_like_ours("aaaaaaa1")]


def test_a_new_folder_that_is_taken_for_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is locked, another run may lock it, or have removed it already."""
    real_flock = fcntl.flock
    others: list[int] = []

    def removed(descriptor: int, operation: int) -> None:
        if not others:
            folder = Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
            folder.rmdir()
            others.append(descriptor)
        elif len(others) == 1:
            others.append(descriptor)
            raise BlockingIOError
        else:
            real_flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", removed)
    with scratch_folder(PREFIX, tmp_path) as folder:
        assert len(others) == 2
        assert folder.is_dir()
        monkeypatch.undo()
        assert remove_stale_folders(PREFIX, tmp_path) == 1  # what the other would have removed
        assert folder.is_dir()


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    (tmp_path / named_like_ours("aaaaaaa1")).mkdir()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with scratch_folder(PREFIX, tmp_path) as folder:
        assert names(tmp_path) == sorted([folder.name, named_like_ours("aaaaaaa1")])
    assert names(tmp_path) == [named_like_ours("aaaaaaa1")]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"), scratch_folder(PREFIX, tmp_path / "absent"):
        pass
