"""Writing outputs so that nothing is lost: a temporary name first, the real one when complete."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gfvc.errors import OutputError


def check_writable(path: Path, *, force: bool) -> None:
    """Raise `OutputError` when `path` cannot be made, or exists and may not be replaced."""
    if path.exists() and not force:
        raise OutputError(f"{path}: exists already; choose another name or use --force")
    parent = path.parent
    if not parent.is_dir():
        kind = "is not a folder" if parent.exists() else "does not exist"
        raise OutputError(f"{path}: the folder {parent} {kind}")


@contextlib.contextmanager
def replaced_when_complete(
    path: Path, *, force: bool, folder_of: frozenset[str] | None = None
) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    Its suffix is that of `path`, so that writers which go by the suffix work. With `folder_of`
    a folder is made, and one that exists is replaced only if it holds nothing but files with
    these suffixes. On any error the temporary is removed and `path` is as it was. Raises
    `OutputError` as `check_writable` does, and when writing fails (a full disk, say).
    """
    check_writable(path, force=force)
    folder = folder_of is not None
    if path.exists():
        if path.is_dir() != folder:
            kind = "a folder" if path.is_dir() else "a file"
            raise OutputError(f"{path}: is {kind}; choose another name")
        if folder_of is not None:
            _check_replaceable(path, folder_of)
    try:
        holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
    temporary = holder / path.name
    try:
        if folder:
            temporary.mkdir()
        yield temporary
        if not force and path.exists():
            raise OutputError(f"{path}: was made by someone else meanwhile; left as it is")
        if folder and path.exists():
            path.rename(holder / f"{path.name}.old")
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _check_replaceable(folder: Path, suffixes: frozenset[str]) -> None:
    """Refuse to replace a folder that holds anything that we would not have written."""
    for entry in folder.iterdir():
        if not entry.is_file() or entry.suffix.lower() not in suffixes:
            raise OutputError(
                f"{folder}: holds {entry.name}, which is not ours to remove; choose another folder"
            )
