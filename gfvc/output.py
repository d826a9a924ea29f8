"""Writing outputs so that nothing is lost: a temporary name first, the real one when complete.

An output that is a symbolic link stays one. With `force` the file that it leads to is replaced; a
link that leads nowhere is refused, for nobody named the file it would make.

What is replaced keeps its permissions, as with `cp`: nobody may read a new version who could not
read the one before. But it is a new file: other names of the old one (hard links) lead to the old
content, and its owner, access control lists and extended attributes are not taken over.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from base_codec_adapters.scratch import scratch_folder
from gfvc.errors import InputError, OutputError, let_deadline_by, system_errors

_PREFIX = ".gfvc-"

StrPath = str | os.PathLike[str]
"""A file or folder, as callers from Python name it."""

OurNames = frozenset[str] | re.Pattern[str]
"""Names of the files in a folder of ours: their suffixes, or the whole names."""


def check_writable(
    path: Path, *, force: bool, sources: Collection[Path] = (), folder: bool = False
) -> None:
    """Raise `OutputError` when `path` cannot be made, or exists and may not be replaced.

    `sources` are the files that will be read for it: not even `force` replaces one of them, nor
    a folder that holds one, whatever name, symbolic or hard link leads to it. `folder` says that a
    folder is to be made: neither that nor a file takes the place of the other.
    """
    if str(path) == "-":
        raise OutputError("-: nothing is written to standard output; name a file")
    with system_errors(OutputError, path, "cannot be written"):
        parent = path.parent
        check_link(path)
        if path.is_dir() and not folder:
            raise OutputError(f"{path}: is a folder, and a file is to be written; name a file")
        for source in sources:
            if _would_lose(source, path):
                kind = "a folder that holds the input" if path.is_dir() else "the input itself"
                raise OutputError(f"{path}: is {kind}; choose another name")
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise OutputError(
                f"{path}: is a device or a pipe, and only files are written; choose another name"
            )
        if path.is_file() and folder:
            raise OutputError(f"{path}: is a file, and a folder is to be made; choose another name")
        if path.exists() and not force:
            raise OutputError(f"{path}: exists already; choose another name or use --force")
        if not parent.is_dir():
            kind = "is not a folder" if parent.exists() else "does not exist"
            raise OutputError(f"{path}: the folder {parent} {kind}")


def check_link(path: Path) -> None:
    """Raise `OutputError` for a symbolic link that leads nowhere."""
    if path.is_symlink() and not path.exists():
        raise OutputError(
            f"{path}: is a link to {path.readlink()}, which is not there; remove the link or "
            "choose another name"
        )


def _would_lose(source: Path, output: Path) -> bool:
    """Whether an input is the very file that is to be replaced, or lies in such a folder."""
    try:
        if not (source.exists() and output.exists()):
            return False
        return output.samefile(source) or (
            output.is_dir() and source.resolve().is_relative_to(output.resolve())
        )
    except OSError:
        return False  # whoever reads or writes it says what is wrong with it


@contextlib.contextmanager
def replaced_when_complete(
    path: Path,
    *,
    force: bool,
    folder_of: OurNames | None = None,
    sources: Collection[Path] = (),
) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    Its suffix is that of `path`, so that writers which go by the suffix work. With `folder_of`
    a folder is made, and one that exists is replaced only if it holds nothing but files of such
    names, before the block and after it. On any error the temporary is removed and `path` is as it
    was; what a killed run left is removed by the next one that writes into the same folder. Raises
    `OutputError` as `check_writable` does, and when writing fails (a full disk, say), `InputError`
    when a source cannot be read; errors of the block that name the temporary path, or a file beside
    it, come out with `path` in its place. Temporary files of the block are expected in folders that
    name themselves (`base_codec_adapters.temporary`).
    """
    folder = folder_of is not None
    check_writable(path, force=force, sources=sources, folder=folder)
    place = Path(os.path.realpath(path))
    if folder_of is not None and place.exists():
        _check_replaceable(path, folder_of)
    with contextlib.ExitStack() as stack:
        with system_errors(OutputError, path, "cannot be written"):
            # Absolute, since the video library takes what is before a colon for a protocol.
            holder = stack.enter_context(scratch_folder(_PREFIX, place.parent))
        temporary = holder / place.name
        try:
            if folder:
                temporary.mkdir()
            yield temporary
            if not force and os.path.lexists(path):
                raise OutputError(f"{path}: was made by someone else meanwhile; left as it is")
            if folder_of is not None and place.exists():
                _check_replaceable(path, folder_of)
            _keep_permissions(place, temporary)
            if folder and place.exists():
                place.rename(holder / f"{place.name}.old")
            temporary.replace(place)
        except OutputError as error:
            named = str(error).replace(str(temporary), str(path))
            # Other files of the block, such as a video that still lacks its sound.
            beside = re.escape(f"{holder}{os.sep}") + r"[^/:\s]+"
            raise OutputError(re.sub(beside, lambda _: str(path), named)) from error.__cause__
        except OSError as error:
            let_deadline_by(error)
            reason = error.strerror or error
            for source in sources:
                if error.filename == str(source):
                    raise InputError(f"{source}: cannot be read ({reason})") from error
            raise OutputError(f"{path}: cannot be written ({reason})") from error


def _keep_permissions(old: Path, new: Path) -> None:
    """Give a file or folder, and the files in it, the permissions of those they replace."""
    for made in (new, *(new.iterdir() if new.is_dir() else ())):
        before = old / made.relative_to(new)
        if before.exists() and before.stat().st_mode != made.stat().st_mode:
            made.chmod(stat.S_IMODE(before.stat().st_mode))


def replace_text(path: Path, text: str) -> None:
    """Write a text as a whole, in place of an earlier one; raise `OutputError` where that fails.

    Names of files in it may be no text: what UTF-8 cannot hold comes out as an escape.
    """
    with replaced_when_complete(path, force=True) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _check_replaceable(folder: Path, names: OurNames) -> None:
    """Refuse to replace a folder that holds anything that we would not have written."""
    for entry in folder.iterdir():
        if isinstance(names, re.Pattern):
            is_ours = names.fullmatch(entry.name) is not None
        else:
            is_ours = entry.suffix.lower() in names
        if not is_ours or not entry.is_file():
            raise OutputError(
                f"{folder}: holds {entry.name}, which is not ours to remove; choose another folder"
            )
