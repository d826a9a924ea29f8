"""What lies in a file behind what libavformat reads of it: another file, or more pictures.

Joined byte by byte, Matroska and MPEG streams go on, and their clock goes back; AVI and GIF go on
as they should. Of the kinds here the rest is passed over without a word.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gfvc.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer

# What FLV and ASF begin with, and have nowhere else.
_BEGINNINGS = {
    "flv": re.compile(rb"FLV\x01[\x01\x04\x05]\x00\x00\x00\x09\x00\x00\x00\x00"),
    "asf": re.compile(re.escape(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"))),
}
_CHUNK, _OVERLAP = 1 << 20, 16
# An index of all that a fragment holds is far smaller.
_MOST_OF_FRAGMENT = 1 << 20

# JPEG, ITU-T T.81: markers that stand alone, start of scan, end of image; and segments that
# say what further pictures are: of the Multi-Picture Format, and XMP of Ultra HDR.
_ALONE = (0x01, *range(0xD0, 0xD9))
_SCAN, _END, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2
_GAIN_MAP = b'"GainMap"'
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_MP4 = re.compile(rb"\x00\x00\x00[\x10-\x80]ftyp(?:mp4|iso|qt |avc|M4V)")

# TIFF 6.0: bytes of an entry, and the one that says that a picture is a smaller one of another, or
# a mask, in either type of field.
_ENTRY = 12
_SUBFILE, _NO_PAGE = 254, 0b101
_FIELDS = {3: "H", 4: "I"}
_MOST_PAGES = 10_000


def refuse_joined(path: Path, container: InputContainer) -> None:
    """Raise `InputError` where another file of the same kind lies behind the one that is read."""
    kind = container.format.name.split(",")[0]
    kind = "flv" if kind == "live_flv" else kind
    status = path.stat()
    if _is_joined(path, kind, status.st_mtime_ns, status.st_size):
        raise InputError(
            f"{path}: several files joined byte by byte, of which only the first can be read; join "
            "them with a video program"
        )


def what_is_behind(path: Path, container: InputContainer) -> str | None:
    """What a file of still pictures holds beside the one that is read, as a note says it."""
    kind = container.format.name
    with path.open("rb") as file:
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
def _is_joined(path: Path, kind: str, _modified: int, _size: int) -> bool:
    with path.open("rb") as file:
        if kind == "mov":
            return _has_second_movie(file)
        if kind in _BEGINNINGS:
            return _comes_again(file, _BEGINNINGS[kind])
    return False


def _comes_again(file: BinaryIO, beginning: re.Pattern[bytes]) -> bool:
    file.seek(1)
    kept = b""
    while chunk := file.read(_CHUNK):
        if beginning.search(kept + chunk):
            return True
        kept = chunk[-_OVERLAP:]
    return False


def _has_second_movie(file: BinaryIO) -> bool:
    """Whether there is a movie box that no fragments follow which go on in time.

    Some programs write the same box again and again among the fragments of one recording.
    """
    movies = 0
    waits = False
    times: dict[int, int] = {}
    for name, start, end in _boxes(file):
        if name == b"moov":
            if waits:
                return True
            movies += 1
            waits = movies > 1
        elif name == b"moof":
            file.seek(start)
            coming = dict(_times(file.read(min(end - start, _MOST_OF_FRAGMENT))))
            if movies > 1 and any(time <= times.get(track, -1) for track, time in coming.items()):
                return True
            times |= coming
            waits = False
    return waits


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Boxes of ISO/IEC 14496-12 one after another: name, first byte of the content, and end."""
    at = 0
    while True:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack_from(">I4s", head)
        length = 8
        if size == 1 and len(head) == 16:
            size, length = struct.unpack_from(">Q", head, 8)[0], 16
        if size < length:  # 0 is to the end of the file
            return
        yield name, at + length, at + size
        at += size


def _times(fragment: bytes) -> Iterator[tuple[int, int]]:
    """Tracks in a fragment, and the decoding times at which they go on in it."""
    for part in fragment.split(b"traf")[1:]:
        header, time = part.find(b"tfhd"), part.find(b"tfdt")
        if header < 0 or time < 0 or len(part) < max(header, time) + 16:
            continue
        is_long = part[time + 4] == 1
        yield (
            struct.unpack_from(">I", part, header + 8)[0],
            struct.unpack_from(">Q" if is_long else ">I", part, time + 8)[0],
        )


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
    while at + 4 <= len(data) and data[at] == 0xFF:
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
    at = struct.unpack_from(order + "I", head, 4)[0]
    pages, seen = 0, set[int]()
    while at and at not in seen and len(seen) < _MOST_PAGES:
        seen.add(at)
        file.seek(at)
        entries = int.from_bytes(file.read(2), "little" if order == "<" else "big")
        table = file.read(entries * _ENTRY + 4)
        if len(table) < entries * _ENTRY + 4:
            break
        rows = (struct.unpack_from(order + "HHI4s", table, n * _ENTRY) for n in range(entries))
        pages += not any(
            tag == _SUBFILE
            and struct.unpack_from(order + _FIELDS.get(kind, "I"), value)[0] & _NO_PAGE
            for tag, kind, _, value in rows
        )
        at = struct.unpack_from(order + "I", table, entries * _ENTRY)[0]
    return pages
