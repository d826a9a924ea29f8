"""Files that end before their container does, as of a download that broke off.

What is read of them looks whole where a sample ends with the file, or where the library drops the
one that does not. But MP4 and Matroska state their sizes at the start.
"""

from __future__ import annotations

from pathlib import Path

from gfvc.media_boxes import top_boxes
from gfvc.telling import Notes

# At the top of MP4 and QuickTime files. What else goes beyond the end is no box: other bytes follow
# the last one there, as of a tag that some program appended.
_TOP_BOXES = frozenset(
    b"ftyp styp pdin moov moof mfra mdat imda sidx ssix prft emsg free skip wide pnot meta udta "
    b"uuid".split()
)
# Of a Matroska file, in which its header and the size of its segment lie.
_HEAD_BYTES = 4096
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def missing_bytes(path: Path, formats: str) -> int:
    """How many bytes a container states beyond the end of its file; 0 where it states none.

    `formats` are libavformat's names of its format. Of a fragmented MP4 file it is what the last
    fragment lacks.
    """
    names = set(formats.split(","))
    if "mov" in names:
        stated = _end_of_boxes(path)
    elif "matroska" in names:
        stated = _end_of_segment(path)
    else:
        return 0
    return max(0, stated - path.stat().st_size)


def tell_of_cut(path: Path, formats: str, notes: Notes) -> None:
    """Tell of bytes that are missing at the end of a container."""
    missing = missing_bytes(path, formats)
    if missing:
        notes(
            f"{path}: is cut off: at least {missing} bytes are missing at its end, as after a "
            "download that broke off; what comes before is used"
        )


def _end_of_boxes(path: Path) -> int:
    """Where the last box of an MP4 file ends; 0: it does not say."""
    size, end = path.stat().st_size, 0
    with path.open("rb") as file:
        for box in top_boxes(file):
            if box.end > size and box.name not in _TOP_BOXES:
                return 0
            end = box.end
    return end if end >= size else 0


def _end_of_segment(path: Path) -> int:
    """Where the segment of a Matroska file ends (RFC 8794, 9559); 0: it does not say."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    header = _size_at(head, len(_EBML))
    if not head.startswith(_EBML) or header is None:
        return 0
    start = header[0] + header[1]
    segment = _size_at(head, start + len(_SEGMENT))
    if head[start : start + len(_SEGMENT)] != _SEGMENT or segment is None:
        return 0
    return segment[0] + segment[1]


def _size_at(head: bytes, place: int) -> tuple[int, int] | None:
    """Where the size of an element ends, and what it says; None where that is unknown."""
    if place >= len(head) or not head[place]:
        return None
    length = 9 - head[place].bit_length()
    size = int.from_bytes(head[place : place + length], "big") & ((1 << 7 * length) - 1)
    return None if size == (1 << 7 * length) - 1 else (place + length, size)
