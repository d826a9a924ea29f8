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
    parent = path.parent
    try:
        if path.exists() and not force:
            raise OutputError(f"{path}: exists already; choose another name or use --force")
        if not parent.is_dir():
            kind = "is not a folder" if parent.exists() else "does not exist"
            raise OutputError(f"{path}: the folder {parent} {kind}")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


def check_not_source(source: Path, output: Path) -> None:
    """Raise `OutputError` when the output would replace the very file that is read."""
    try:
        same = output.exists() and source.exists() and output.samefile(source)
    except OSError:
        return
    if same:
        raise OutputError(f"{output}: is the input itself; choose another name")


@contextlib.contextmanager
def replaced_when_complete(
    path: Path, *, force: bool, folder_of: frozenset[str] | None = None
) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    Its suffix is that of `path`, so that writers which go by the suffix work. With `folder_of`
    a folder is made, and one that exists is replaced only if it holds nothing but files with
    these suffixes. On any error the temporary is removed and `path` is as it was. Raises
    `OutputError` as `check_writable` does, and when writing fails (a full disk, say); errors of
    the block that name the temporary path come out with `path` in its place.
    """
    check_writable(path, force=force)
    folder = folder_of is not None
    if path.exists():
        if path.is_dir() != folder or not (folder or path.is_file()):
            kind = "a folder" if path.is_dir() else "a file" if path.is_file() else "a device"
            raise OutputError(f"{path}: is {kind}; choose another name")
        if folder_of is not None:
            _check_replaceable(path, folder_of)
    try:
        # Absolute, since the video library takes what is before a colon for a protocol.
        holder = Path(tempfile.mkdtemp(prefix=".gfvc-", dir=path.parent.absolute()))
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
    except OutputError as error:
        raise OutputError(str(error).replace(str(temporary), str(path))) from None
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
