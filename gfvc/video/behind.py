"""What lies in a file behind what libavformat reads of it: another file, or more pictures.

Joined byte by byte, Matroska (two files) and MPEG streams go on, and their clock goes back; AVI and
GIF go on as they should. Of the kinds here the rest is passed over without a word.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gfvc.errors import InputError, system_errors
from gfvc.media_boxes import Box, end_of_tags, inner_boxes, top_boxes

if TYPE_CHECKING:
    from av.container import InputContainer

# What FLV and ASF begin with. An object of ASF has an identifier and its size before its content.
_FLV = b"FLV\x01"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_OBJECT_HEADER = 24
_MOST_OBJECTS = 10_000
# Elements of Matroska. Of those segments that end where they say the library reads two.
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_READ_SEGMENTS = 2
# An index of all that a fragment holds is far smaller.
_MOST_OF_FRAGMENT = 1 << 20

_JOINED = (
    "several files joined byte by byte, of which only the first can be read; join them with a "
    "video program"
)
_MORE_SEGMENTS = (
    "more than two files joined byte by byte, of which only two can be read; join them with a "
    "video program"
)
_GOES_BACK = (
    "its fragments go back in time, as where one stands there twice, or in another order; join "
    "each once, in order (cat INIT PART1 PART2 > WHOLE.mp4)"
)

# JPEG, ITU-T T.81: markers that stand alone, start of scan, end of image; and segments that
# say what further pictures are: of the Multi-Picture Format, and XMP of Ultra HDR.
_ALONE = (0x01, *range(0xD0, 0xD9))
_SCAN, _END, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2
_GAIN_MAP = b'"GainMap"'
_MOST_SEGMENTS = 100_000
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_MP4 = re.compile(rb"\x00\x00\x00[\x10-\x80]ftyp(?:mp4|iso|qt |avc|M4V)")

# TIFF 6.0: bytes of an entry, and the one that says that a picture is a smaller one of another, or
# a mask, in either type of field.
_ENTRY = 12
_SUBFILE, _NO_PAGE = 254, 0b101
_FIELDS = {3: "H", 4: "I"}
_MOST_PAGES = 10_000
# Entries are in the order of their tags, and few have lower ones than that.
_FIRST_ENTRIES = 8


def refuse_joined(path: Path, container: InputContainer) -> None:
    """Raise `InputError` where another file of the same kind lies behind the one that is read.

    So too where fragments of an MP4 file stand there twice, or in another order than that of time.
    """
    kind = container.format.name.split(",")[0]
    kind = "flv" if kind == "live_flv" else kind
    with system_errors(InputError, path, "cannot be read"):
        status = path.stat()
    problem = _problem(path, kind, status.st_mtime_ns, status.st_size)
    if problem is not None:
        raise InputError(f"{path}: {problem}")


def what_is_behind(path: Path, container: InputContainer) -> str | None:
    """What a file of still pictures holds beside the one that is read, as a note says it."""
    kind = container.format.name
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        head = file.read(4)
        if head.startswith(b"\xff\xd8") and kind == "image2":
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _behind_jpeg(data)
        if head[:2] in (b"II", b"MM") and kind in ("image2", "tiff_pipe"):
            pages = _pages(file)
            if pages > 1:
                return f"holds {pages} pictures, of which the first is read; make a video of them"
    return None


@lru_cache(maxsize=8)
def _problem(path: Path, kind: str, _modified: int, _size: int) -> str | None:
    with system_errors(InputError, path, "cannot be read"), path.open("rb") as file:
        is_joined = False
        if kind == "mov":
            return _problem_of_movie(file)
        if kind == "flv":
            file.seek(end_of_tags(file))
            is_joined = file.read(len(_FLV)) == _FLV
        elif kind == "asf":
            is_joined = _has_second_header(file)
        elif kind == "matroska" and _segments(file) > _READ_SEGMENTS:
            return _MORE_SEGMENTS
    return _JOINED if is_joined else None


def _segments(file: BinaryIO) -> int:
    """Segments of a Matroska file, from its start on, as far as they say where they end.

    No more than one that is not read. Of those that do not say it, as what was written to a pipe,
    the library reads any number.
    """
    size, place, segments = file.seek(0, os.SEEK_END), 0, 0
    while place < size and segments <= _READ_SEGMENTS:
        file.seek(place)
        head = file.read(12)
        if head[:4] not in (_EBML, _SEGMENT) or len(head) < 5 or not head[4]:
            break
        # RFC 8794, 4: as many bytes as the first set bit tells, and all bits set for no size.
        length = 9 - head[4].bit_length()
        unknown = (1 << 7 * length) - 1
        content = int.from_bytes(head[4 : 4 + length], "big") & unknown
        if content == unknown:
            break
        segments += head.startswith(_SEGMENT)
        place += 4 + length + content
    return segments


def _has_second_header(file: BinaryIO) -> bool:
    """Whether another ASF file stands where an object could."""
    size, place = file.seek(0, os.SEEK_END), 0
    for _ in range(_MOST_OBJECTS):
        file.seek(place)
        head = file.read(_OBJECT_HEADER)
        if place and head.startswith(_ASF):
            return True
        length = int.from_bytes(head[len(_ASF) :], "little")
        if length < _OBJECT_HEADER or place + length >= size:
            return False
        place += length
    return False


def _problem_of_movie(file: BinaryIO) -> str | None:
    """Whether there is a further movie with pictures of its own in an MP4 file, or time goes back.

    Some programs write the same movie box again and again among the fragments of one recording, or
    at its end: fragments go on in time there.
    """
    movies = 0
    has_data = has_fragments = has_more = in_fragments = False
    # Two that follow each other may have one time (ffmpeg), but not one number.
    places: dict[int, tuple[int, int]] = {}
    for name, start, end in top_boxes(file):
        is_whole = movies > 0 and (has_data or has_fragments)
        if name == b"moof":
            file.seek(start)
            coming = dict(_places(file.read(min(end - start, _MOST_OF_FRAGMENT))))
            goes_back = any(place <= places.get(track, (-1, 0)) for track, place in coming.items())
            if movies > 1 and (goes_back or not has_fragments):
                return _JOINED
            if goes_back:
                return _GOES_BACK
            places |= coming
            has_fragments = in_fragments = True
        elif name in (b"ftyp", b"moov"):
            movies += name == b"moov"
            in_fragments = False
        elif name == b"mdat" and not in_fragments:
            has_more |= is_whole
            has_data = True
        if movies > 1 and has_more:
            return _JOINED
    return None


def _places(fragment: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """Tracks that a fragment has samples of, the decoding times of those, and its number."""
    file, whole = io.BytesIO(fragment), Box(b"moof", 0, len(fragment))
    number = next((_number(fragment, box.content + 4) for box in _in(file, whole, b"mfhd")), 0)
    for part in _in(file, whole, b"traf"):
        header = next(_in(file, part, b"tfhd"), None)
        time = next(_in(file, part, b"tfdt"), None)
        # A track may be named without samples, at the time at which it will go on.
        samples = sum(_number(fragment, run.content + 4) for run in _in(file, part, b"trun"))
        if header is not None and time is not None and samples:
            is_long = fragment[time.content : time.content + 1] == b"\1"
            at = _number(fragment, time.content + 4, 8 if is_long else 4)
            yield _number(fragment, header.content + 4), (at, number)


def _in(file: BinaryIO, box: Box, name: bytes) -> Iterator[Box]:
    return (inner for inner in inner_boxes(file, box) if inner.name == name)


def _number(data: bytes, place: int, size: int = 4) -> int:
    return int.from_bytes(data[place : place + size], "big")


def _behind_jpeg(data: mmap.mmap) -> str | None:
    end, says_more = _end_of_jpeg(data, 0)
    if end is None:
        return None
    video = _MP4.search(data, end)
    if video is not None:
        size = len(data) - video.start()
        return (
            "is a motion photo: the picture is read, and its video is not; "
            f"tail -c {size} makes a file of that"
        )
    pictures = 1
    while not says_more and end is not None and data[end : end + 2] == b"\xff\xd8":
        end, says_more = _end_of_jpeg(data, end)
        pictures += end is not None
    if pictures > 1:
        return (
            f"holds {pictures} pictures joined byte by byte, of which the first is read; all are "
            "under a name that ends in .mjpeg"
        )
    return None


def _end_of_jpeg(data: mmap.mmap, at: int) -> tuple[int | None, bool]:
    """Where a JPEG picture ends, None if it does not, and whether it tells of further ones."""
    says_more = False
    at += 2
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # a byte to fill up
            at += 1
        elif marker == _END:
            return at + 2, says_more
        elif marker in _ALONE:
            at += 2
        else:
            end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
            said = data[at + 4 : end]
            says_more |= marker == _APP2 and said.startswith(b"MPF\0")
            says_more |= marker == _APP1 and _GAIN_MAP in said
            at = end
            if marker == _SCAN:
                found = _AFTER_SCAN.search(data, at)
                at = len(data) if found is None else found.start()
    ends = data[at : at + 2] == bytes((0xFF, _END))
    return (at + 2 if ends else None), says_more


def _pages(file: BinaryIO) -> int:
    """How many pictures a TIFF file holds, without smaller ones of others and masks.

    BigTIFF is not read here at all.
    """
    file.seek(0)
    head = file.read(8).ljust(8, b"\0")
    order = "<" if head[:2] == b"II" else ">"
    size, at = file.seek(0, os.SEEK_END), struct.unpack_from(order + "I", head, 4)[0]
    pages, seen = 0, set[int]()
    while 0 < at < size and at not in seen and len(seen) < _MOST_PAGES:
        seen.add(at)
        file.seek(at)
        entries = int.from_bytes(file.read(2), "little" if order == "<" else "big")
        table = file.read(min(entries, _FIRST_ENTRIES) * _ENTRY)
        file.seek(at + 2 + entries * _ENTRY)
        following = file.read(4)
        if len(following) < 4:
            break
        pages += not any(
            tag == _SUBFILE
            and struct.unpack_from(order + _FIELDS.get(kind, "I"), value)[0] & _NO_PAGE
            for tag, kind, _, value in struct.iter_unpack(order + "HHI4s", table)
        )
        at = struct.unpack(order + "I", following)[0]
    return pages
