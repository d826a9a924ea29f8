from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc.errors import OutputError
from gfvc.output import check_not_source, replaced_when_complete

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


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="is a folder"),
        replaced_when_complete(tmp_path, force=True),
    ):
        pytest.fail("the block must not run")


def test_a_device_or_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is a device"), replaced_when_complete(pipe, force=True):
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


def test_the_input_is_never_replaced_by_the_output(tmp_path: Path) -> None:
    path, link = tmp_path / "talk.mp4", tmp_path / "link.mp4"
    path.write_bytes(b"video")
    link.symlink_to(path)
    for output in (path, link):
        with pytest.raises(OutputError, match="input itself"):
            check_not_source(path, output)
    check_not_source(path, tmp_path / "other.mp4")
