"""Files of weights and data: read with hashes and sizes checked, written as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.errors import CheckpointError, first_line

if TYPE_CHECKING:
    from torch import Tensor

DATA = Path(__file__).parent / "data"
"""Folder of the files that ship."""

MAX_HEADER = 4 << 20
"""Longest header in bytes; the library's parser takes some twenty times as much memory."""

_SIZE = 8  # bytes of the header's length

MAX_TENSOR_FILE = 1 << 30  # bytes; larger than any model here, small enough to refuse rubbish


def header_size(head: bytes) -> int | None:
    """Length of the header of a safetensors file from its first 9 bytes; None for another file."""
    if len(head) <= _SIZE or head[_SIZE:][:1] != b"{":
        return None
    return int.from_bytes(head[:_SIZE], "little")


def check_regular(path: Path) -> None:
    """Raise `CheckpointError` for what is no file: opening a pipe may never end.

    `OSError` passes through.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise CheckpointError(f"{path}: is not a regular file")


def check_tensor_file(path: Path, most: int) -> None:
    """Raise `CheckpointError` unless a file begins as safetensors and is within `most` bytes.

    Its header is within `MAX_HEADER`. `OSError` passes through.
    """
    check_regular(path)
    with path.open("rb") as file:
        head = file.read(_SIZE + 1)
        size = file.seek(0, 2)
    if size > most:
        raise CheckpointError(f"{path}: larger than {most} bytes")
    length = header_size(head)
    if length is None or length > size - _SIZE:
        raise CheckpointError(f"{path}: not a safetensors file that can be read (no header)")
    if length > MAX_HEADER:
        raise CheckpointError(f"{path}: its header has {length} bytes, at most {MAX_HEADER}")


def file_sha256(path: Path) -> str:
    """Hash of a file as hex; raise `CheckpointError` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        check_regular(path)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None


def read_checked(path: Path, sha256: str | None) -> bytes:
    """Content of a data file after checking its hash; None checks nothing but the size.

    Raises `CheckpointError` when it is missing, too large or altered.
    """
    try:
        check_regular(path)
        if path.stat().st_size > MAX_TENSOR_FILE:
            raise CheckpointError(f"{path}: larger than {MAX_TENSOR_FILE} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise CheckpointError(
            f"{path}: sha256 is {found}, the card says {sha256}; install gfvc again"
        )
    return content


def read_tensors(path: Path, sha256: str) -> dict[str, npt.NDArray[Any]]:
    """Read a safetensors file after checking its hash.

    Raises `CheckpointError` when it is missing, too large, altered or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = read_checked(path, sha256)
    try:
        return {name: np.asarray(value) for name, value in load(content).items()}
    except SafetensorError as error:
        raise CheckpointError(f"{path}: not a safetensors file ({error})") from None


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors of a safetensors file, and what it says of itself.

    Raises `CheckpointError` when it is missing, too large or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        check_tensor_file(path, MAX_TENSOR_FILE)
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path}: not a safetensors file that can be read ({first_line(error)})"
        ) from None


@contextlib.contextmanager
def written_whole(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    Whatever happens, `path` holds what it held or all of what is new; with `sync` also when the
    machine stops at once. `OSError` passes through.
    """
    # Another process may be about to write the same file.
    temporary = path.with_suffix(f".{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        if sync:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
