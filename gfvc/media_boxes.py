"""The parts that an MP4 or FLV file is made of, told by their headers alone.

Whatever a file says of itself, no more of it is gone through than is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

# Of an MP4 file, one after the other; one of more has them so small that it is no video.
_MOST_BOXES = 100_000

# Adobe Flash Video File Format Specification 10.1, annex E.2 to E.4: sizes of headers and of what
# stands behind each tag, and the types of sound, video and script.
_FLV_HEADER, _TAG_HEADER, _TAG_END = 9, 11, 4
_TAG_TYPE, _TAG_TYPES = 0x1F, frozenset((8, 9, 18))


class Box(NamedTuple):
    """A box of an MP4 file: its type, and the bytes where its content starts and it ends.

    It may end beyond the file.
    """

    name: bytes
    content: int
    end: int


def top_boxes(file: BinaryIO) -> Iterator[Box]:
    """The boxes of an MP4 file one after another (ISO/IEC 14496-12, 4.2), 100 000 at most.

    They end where a box says no size, or no box is. Raises `OSError` as reading does.
    """
    yield from _boxes(file, 0, file.seek(0, os.SEEK_END))


def inner_boxes(file: BinaryIO, box: Box) -> Iterator[Box]:
    """The boxes in one that holds nothing else; as `top_boxes`."""
    yield from _boxes(file, box.content, min(box.end, file.seek(0, os.SEEK_END)))


def _boxes(file: BinaryIO, place: int, end: int) -> Iterator[Box]:
    for _ in range(_MOST_BOXES):
        if place >= end:
            return
        file.seek(place)
        head = file.read(16)
        length, content = int.from_bytes(head[:4], "big"), 8
        if length == 1 and len(head) == 16:
            length, content = int.from_bytes(head[8:], "big"), 16
        if length < content:
            return
        yield Box(head[4:8], place + content, place + length)
        place += length


def end_of_tags(file: BinaryIO) -> int:
    """The byte behind the last tag of an FLV file, and behind the length that follows it.

    Where that length is all that is missing, it is the size of the file. 0 where no tags come.
    Raises `OSError` as reading does.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(5)
    place = int.from_bytes(file.read(4), "big") + _TAG_END
    if place < _FLV_HEADER + _TAG_END:
        return 0
    while place < size:
        file.seek(place)
        head = file.read(4)
        length = _TAG_HEADER + int.from_bytes(head[1:], "big")
        if head[0] & _TAG_TYPE not in _TAG_TYPES:
            break
        if place + length == size:
            return size
        file.seek(min(place + length, size))
        if file.read(_TAG_END) != length.to_bytes(_TAG_END, "big"):
            break
        place += length + _TAG_END
    return place
