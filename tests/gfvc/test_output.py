from __future__ import annotations

import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.errors import InputError, OutputError
from gfvc.output import check_writable, replaced_when_complete
from gfvc.video_writer import open_writer

PNG = frozenset({".png"})


def leftovers(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def replace(path: Path, meanwhile: Callable[[], object], *, force: bool = True) -> None:
    """Write an output, and do something else before it is complete."""
    with replaced_when_complete(path, force=force) as temporary:
        temporary.write_bytes(b"ours")
        meanwhile()


def test_the_name_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with replaced_when_complete(path, force=False) as temporary:
        assert temporary.suffix == ".mp4"
        temporary.write_bytes(b"video")
        assert not path.exists()
    assert path.read_bytes() == b"video"
    assert leftovers(tmp_path) == ["out.mp4"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.266"
    path.write_bytes(b"old")

    def interfere() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        replace(path, interfere)
    assert path.read_bytes() == b"old"
    assert leftovers(tmp_path) == ["out.266"]


def test_standard_output_is_no_output() -> None:
    with pytest.raises(OutputError, match="name a file"):
        check_writable(Path("-"), force=True)


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "out.266"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="--force"), replaced_when_complete(path, force=False):
        pytest.fail("the block must not run")
    assert path.read_bytes() == b"old"


def test_a_file_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.266"

    with pytest.raises(OutputError, match="meanwhile"):
        replace(path, lambda: path.write_bytes(b"theirs"), force=False)
    assert path.read_bytes() == b"theirs"


@pytest.mark.parametrize("parent_is_file", [True, False])
def test_a_parent_that_is_no_folder_is_named(tmp_path: Path, parent_is_file: bool) -> None:
    parent = tmp_path / "parent"
    if parent_is_file:
        parent.write_bytes(b"")
    with (
        pytest.raises(OutputError, match="not a folder" if parent_is_file else "does not exist"),
        replaced_when_complete(parent / "out.266", force=True),
    ):
        pytest.fail("the block must not run")


def test_a_failed_write_is_an_output_error(tmp_path: Path) -> None:
    path = tmp_path / "out.266"
    with (
        pytest.raises(OutputError, match="No space left"),
        replaced_when_complete(path, force=False),
    ):
        raise OSError(28, "No space left on device")
    assert leftovers(tmp_path) == []


def test_a_folder_of_our_files_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "old.png").write_bytes(b"old")
    with replaced_when_complete(folder, force=True, folder_of=PNG) as temporary:
        (temporary / "new.png").write_bytes(b"new")
    assert leftovers(folder) == ["new.png"]
    assert leftovers(tmp_path) == ["pictures"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o440])
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_is_replaced_keeps_its_permissions(
    tmp_path: Path, mode: int, linked: bool
) -> None:
    path = file = tmp_path / "out.266"
    file.write_bytes(b"old")
    file.chmod(mode)
    if linked:
        path = tmp_path / "link.266"
        path.symlink_to(file)
    replace(path, lambda: None)
    assert file.read_bytes() == b"ours"
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert path.is_symlink() == linked


def test_a_folder_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "old.png").write_bytes(b"old")
    (folder / "old.png").chmod(0o600)
    folder.chmod(0o700)
    with replaced_when_complete(folder, force=True, folder_of=PNG) as temporary:
        (temporary / "old.png").write_bytes(b"new")
        (temporary / "new.png").write_bytes(b"new")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "old.png")]
    assert modes == [0o700, 0o600]
    assert leftovers(folder) == ["new.png", "old.png"]


def test_a_folder_of_files_with_other_names_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "000001.png").write_bytes(b"ours")
    numbers = re.compile(r"\d+\.png")
    with replaced_when_complete(folder, force=True, folder_of=numbers) as temporary:
        (temporary / "000002.png").write_bytes(b"ours")
    (folder / "wedding.png").write_bytes(b"theirs")
    with (
        pytest.raises(OutputError, match=r"holds wedding\.png, which is not ours"),
        replaced_when_complete(folder, force=True, folder_of=numbers),
    ):
        pytest.fail("the block must not run")
    assert leftovers(folder) == ["000002.png", "wedding.png"]


def test_what_comes_into_a_folder_meanwhile_is_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    with (
        pytest.raises(OutputError, match=r"letters\.txt"),
        replaced_when_complete(folder, force=True, folder_of=PNG),
    ):
        (folder / "letters.txt").write_bytes(b"dear")
    assert leftovers(folder) == ["letters.txt"]


def test_a_folder_with_other_things_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "letters.txt").write_bytes(b"dear")
    with (
        pytest.raises(OutputError, match=r"letters\.txt"),
        replaced_when_complete(folder, force=True, folder_of=PNG),
    ):
        pytest.fail("the block must not run")
    assert leftovers(folder) == ["letters.txt"]


@pytest.mark.parametrize("force", [True, False])
def test_files_and_folders_do_not_replace_each_other(tmp_path: Path, *, force: bool) -> None:
    """Nor is --force advised, which would not help."""
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    source = folder / "source"
    for path in (file, source):
        path.write_text("mine")
    of_file, of_folder = "a folder, and a file is to be written; name a file$", "is a file, and a"
    for sources in ([], [source]):
        with pytest.raises(OutputError, match=of_file):
            check_writable(folder, force=force, sources=sources)
    with pytest.raises(OutputError, match=of_folder):
        check_writable(file, force=force, folder=True)
    with pytest.raises(OutputError, match=of_file), replaced_when_complete(folder, force=force):
        pytest.fail("the block must not run")
    with (
        pytest.raises(OutputError, match=of_folder),
        replaced_when_complete(file, force=force, folder_of=frozenset({".png"})),
    ):
        pytest.fail("the block must not run")


@pytest.mark.parametrize("force", [True, False])
def test_a_device_or_pipe_is_not_replaced(tmp_path: Path, force: bool) -> None:
    """Nor is --force advised, which would not help."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link, says = tmp_path / "link", "is a device or a pipe, and only files are written"
    link.symlink_to(pipe)
    for path in (pipe, link, Path("/dev/null")):
        with pytest.raises(OutputError, match=says):
            check_writable(path, force=force)
        with pytest.raises(OutputError, match=says), replaced_when_complete(path, force=force):
            pytest.fail("the block must not run")
    assert pipe.is_fifo()


def test_errors_name_the_output_and_not_the_temporary(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"

    def write() -> None:
        with replaced_when_complete(path, force=False) as temporary:
            raise OutputError(f"{temporary}: cannot be written (Input/output error)")

    with pytest.raises(OutputError) as caught:
        write()
    assert str(caught.value) == f"{path}: cannot be written (Input/output error)"


@pytest.mark.parametrize("force", [True, False])
def test_the_input_is_never_replaced_by_the_output(tmp_path: Path, force: bool) -> None:
    path, link, hard = (tmp_path / f"{name}.mp4" for name in ("talk", "link", "hard"))
    path.write_bytes(b"video")
    link.symlink_to(path)
    hard.hardlink_to(path)
    other = tmp_path / "other.mp4"
    for output in (path, link, hard):
        with (
            pytest.raises(OutputError, match="input itself"),
            replaced_when_complete(output, force=force, sources=[other, path]),
        ):
            pytest.fail("the block must not run")
    check_writable(other, force=force, sources=[path])


def test_an_input_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    source = tmp_path / ("long" * 100)
    with (
        pytest.raises(InputError, match=r"long: cannot be read .File name too long"),
        replaced_when_complete(tmp_path / "out", force=True, sources=[source]),
    ):
        source.read_bytes()


def test_a_folder_that_holds_the_input_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    source = folder / "talk.png"
    source.write_bytes(b"picture")
    with (
        pytest.raises(OutputError, match="a folder that holds the input"),
        replaced_when_complete(folder, force=True, folder_of=PNG, sources=[source]),
    ):
        pytest.fail("the block must not run")
    assert source.read_bytes() == b"picture"


def test_the_file_that_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there/target.266", tmp_path / "link.266"
    target.write_bytes(b"old")
    link.symlink_to(Path("there/target.266"))
    with pytest.raises(OutputError, match="--force"):
        replace(link, lambda: None, force=False)
    assert target.read_bytes() == b"old"
    replace(link, lambda: None)
    assert link.readlink() == Path("there/target.266")
    assert (target.read_bytes(), link.read_bytes()) == (b"ours", b"ours")
    assert leftovers(tmp_path) == ["link.266", "there"]
    assert leftovers(target.parent) == ["target.266"]


def test_the_folder_that_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.mkdir()
    (target / "old.png").write_bytes(b"old")
    link.symlink_to(target)
    with replaced_when_complete(link, force=True, folder_of=PNG) as temporary:
        (temporary / "new.png").write_bytes(b"new")
    assert link.is_symlink()
    assert leftovers(target) == ["new.png"]


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("leads_to", ["nowhere.266", "link.266"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, force: bool, leads_to: str) -> None:
    link = tmp_path / "link.266"
    link.symlink_to(leads_to)
    with pytest.raises(OutputError, match=f"is a link to {leads_to}"):
        replace(link, lambda: None, force=force)
    assert leftovers(tmp_path) == ["link.266"]


KILLED = """
import os, pathlib, signal, sys
from gfvc.output import replaced_when_complete
with replaced_when_complete(pathlib.Path(sys.argv[1]), force=False) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "killed.266"], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    [left] = leftovers(tmp_path)
    assert left.startswith(".gfvc-")
    # In a process of its own: a process looks into each folder once.
    script = KILLED.replace("os.kill(os.getpid(), signal.SIGKILL)", "")
    subprocess.run([sys.executable, "-c", script, tmp_path / "out.266"], check=True, timeout=60)
    assert leftovers(tmp_path) == ["out.266"]


@pytest.mark.parametrize("name", ["out.mp4", r"a b\1: c.mp4"])
@pytest.mark.parametrize("beside", ["", "silent.mp4"])
def test_an_error_names_the_output_and_no_file_that_is_gone(
    tmp_path: Path, name: str, beside: str
) -> None:
    path = tmp_path / name
    context = replaced_when_complete(path, force=False)
    temporary = context.__enter__()
    failed = temporary.with_name(beside) if beside else temporary
    error = OutputError(f"{failed}: cannot be written (No space left on device)")
    with pytest.raises(OutputError) as told:
        context.__exit__(OutputError, error, None)
    assert str(told.value) == f"{path}: cannot be written (No space left on device)"
    assert not list(tmp_path.iterdir())


def write_noise(path: Path) -> None:
    """A video that does not become small."""
    rng = np.random.default_rng(1)
    with open_writer(path, Fraction(25)) as writer:
        for _ in range(60):
            writer.write(rng.integers(0, 255, (64, 64, 3), np.uint8))


def test_a_file_that_may_not_become_larger_is_told_as_such(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot be written \(File too large"):
            write_noise(tmp_path / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
