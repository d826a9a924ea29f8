"""Whether a file ends where one of its parts does, so that none of it was cut off.

A duration that a file states does not tell: recorders in browsers guess it, or it is put in later.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

# RFC 9559: what holds the rest, and a part of it with pictures; both may have no stated size.
_EBML, _SEGMENT, _CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
_ID_BYTES, _SIZE_BYTES = 4, 8

# Adobe Flash Video File Format Specification 10.1, annex E.2 to E.4.
_FLV, _FLV_HEADER, _TAG_HEADER, _TAG_END = b"FLV", 9, 11, 4


def ends_whole(path: Path) -> bool:
    """Whether a file is Matroska, WebM, MP4 or FLV whose last part ends with it.

    False, too, where that cannot be told, as of other formats.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(8)
        if head.startswith(_EBML):
            return _elements_end(file) == size
        if head.startswith(_FLV):
            return size in _tag_ends(file, size)
        if head[4:8] in (b"ftyp", b"styp", b"moov"):
            return _boxes_end(file, size) == size
    return False


def _elements_end(file: BinaryIO) -> int | None:
    """Where the last element of a Matroska file ends; None where there is no telling."""
    place, stated_end = 0, None
    while True:
        file.seek(place)
        head = file.read(_ID_BYTES + _SIZE_BYTES)
        if not head:
            return place if stated_end is None else max(place, stated_end)
        id_bytes = 9 - head[0].bit_length()
        at = head[id_bytes : id_bytes + 1]
        if id_bytes > _ID_BYTES or not at or not at[0]:
            return None
        size_bytes = 9 - at[0].bit_length()
        content = id_bytes + size_bytes
        if content > len(head):
            return None
        most = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(head[id_bytes:content], "big") & most
        kind = head[:id_bytes]
        if kind == _SEGMENT and size != most:
            stated_end = place + content + size
        if kind == _SEGMENT or (kind == _CLUSTER and size == most):
            size = 0  # what it holds comes next
        elif size == most:
            return None
        place += content + size


def _tag_ends(file: BinaryIO, size: int) -> tuple[int, int]:
    """Where the last tag of an FLV file ends, with and without the length that follows it."""
    file.seek(5)
    place = int.from_bytes(file.read(4), "big") + _TAG_END
    if place < _FLV_HEADER + _TAG_END:
        return -1, -1
    while place < size:
        file.seek(place)
        place += _TAG_HEADER + int.from_bytes(file.read(4)[1:], "big") + _TAG_END
    return place, place - _TAG_END


def _boxes_end(file: BinaryIO, size: int) -> int | None:
    """Where the last box of an MP4 file ends (ISO/IEC 14496-12 clause 4.2), if it says so."""
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or len(head) < 8:  # to the end of the file, or no box
            return None
        place += length
    return place
