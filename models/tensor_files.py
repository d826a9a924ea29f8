"""What a safetensors file may ask for before it is opened."""

from __future__ import annotations

from pathlib import Path

from models.errors import CheckpointError

MAX_HEADER = 4 << 20
"""Longest header in bytes; the library's parser takes some twenty times as much memory."""

_SIZE = 8  # bytes of the header's length


def header_size(head: bytes) -> int | None:
    """Length of the header of a safetensors file from its first 9 bytes; None for another file."""
    if len(head) <= _SIZE or head[_SIZE:][:1] != b"{":
        return None
    return int.from_bytes(head[:_SIZE], "little")


def check_tensor_file(path: Path, most: int) -> None:
    """Raise `CheckpointError` unless a file begins as safetensors and is within `most` bytes.

    Its header is within `MAX_HEADER`. `OSError` passes through.
    """
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
