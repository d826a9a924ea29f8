"""PNG pictures in which what is compressed beside the samples is not read: text, colour profiles.

Nothing here needs either. A decoder unpacks them all the same, to any size, and what it says of a
profile is more than the library can hand on: it would end the process.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gfvc.errors import InputError

MAX_UNPACKED = 16 << 20
"""Bytes of text and profiles of a PNG file, unpacked. The library unpacks them as it opens one."""

_PIECE = 1 << 16
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COMPRESSED = frozenset((b"iCCP", b"zTXt", b"iTXt"))
# A private chunk that nobody has to know, of which all decoders pass over the data.
_PASSED_OVER = b"skIp"


def with_compressed_hidden(data: bytes) -> bytes:
    """A PNG picture, or a run of its chunks, in which such chunks have a type that nobody reads.

    It has as many bytes as before. A chunk is its length, its type, its data and a checksum of the
    two (PNG, 3rd edition, 5.3). What is no chunk is left alone, as is all that follows it: who
    decodes tells.
    """
    if not any(kind in data for kind in _COMPRESSED):
        return data
    hidden = bytearray(data)
    start = len(_SIGNATURE) if data.startswith(_SIGNATURE) else 0
    while len(data) - start >= 12:
        end = start + 12 + int.from_bytes(data[start : start + 4])
        if end > len(data):
            break
        if data[start + 4 : start + 8] in _COMPRESSED:
            hidden[start + 4 : start + 8] = _PASSED_OVER
            hidden[end - 4 : end] = zlib.crc32(hidden[start + 4 : end - 4]).to_bytes(4)
        start = end
    return bytes(hidden)


def is_animated(path: Path) -> bool:
    """Whether a PNG file says, before its first picture, that there are several."""
    with path.open("rb") as file:
        for name, _ in _chunks(file):
            if name in (b"acTL", b"IDAT"):
                return name == b"acTL"
    return False


def refuse_expanding(path: Path) -> None:
    """Raise `InputError` where text and profiles of a PNG file unpack to more than is read."""
    left = MAX_UNPACKED
    with path.open("rb") as file:
        for name, size in _chunks(file):
            if name not in _COMPRESSED:
                continue
            left -= _unpacked(name, file.read(size), left)
            if left < 0:
                raise InputError(
                    f"{path}: its text and colour profiles unpack to more than {MAX_UNPACKED} "
                    "bytes; save it without them, by an image program"
                )


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Type and size of the data of each chunk, of which the file is at the data."""
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return
    while len(head := file.read(8)) == 8:
        size, data = int.from_bytes(head[:4]), file.tell()
        yield head[4:], size
        file.seek(data + size + 4)


def _unpacked(name: bytes, data: bytes, most: int) -> int:
    """How many bytes a compressed chunk unpacks to, nearly up to damage; not all beyond `most`."""
    _, _, packed = data.partition(b"\0")
    if name == b"iTXt":
        if packed[:1] != b"\1":
            return 0
        packed = packed[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        packed = packed[1:]
    unpacker, done, start, waiting = zlib.decompressobj(), 0, 0, b""
    # Piece by piece: damage at its end does not undo what was unpacked before, here nor there.
    with contextlib.suppress(zlib.error):
        while done <= most and not unpacker.eof and (waiting or start < len(packed)):
            if not waiting:
                waiting, start = packed[start : start + _PIECE], start + _PIECE
            done += len(unpacker.decompress(waiting, _PIECE))
            waiting = unpacker.unconsumed_tail
    return done
