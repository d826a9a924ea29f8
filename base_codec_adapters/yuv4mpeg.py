"""Reader of YUV4MPEG2 files: raw video with its picture size and bit depth."""

from __future__ import annotations

import re
from typing import IO

from base_codec_adapters.byte_stream import PictureFormat

MAX_HEADER_BYTES = 1024

_FORMAT = re.compile(rb"C420(?:jpeg|mpeg2|paldv|p(?P<bits>\d{1,2}))?\Z")


def read_header(file: IO[bytes]) -> PictureFormat:
    """Read the stream header line.

    Raises:
        ValueError: not YUV4MPEG2, or not 4:2:0.
    """
    line = file.readline(MAX_HEADER_BYTES)
    fields = line.rstrip(b"\n").split(b" ")
    if fields[0] != b"YUV4MPEG2" or not line.endswith(b"\n"):
        raise ValueError("not a YUV4MPEG2 file")
    tags = {field[:1]: field for field in fields[1:]}
    colour = tags.get(b"C", b"C420")
    match = _FORMAT.match(colour)
    if match is None:
        raise ValueError(f"samples are {colour[1:].decode('ascii', 'replace')}, not 4:2:0")
    try:
        width, height = int(tags[b"W"][1:]), int(tags[b"H"][1:])
    except (KeyError, ValueError):
        raise ValueError("YUV4MPEG2 header without a picture size") from None
    return PictureFormat(width, height, int(match["bits"] or 8))


def read_frame_header(file: IO[bytes]) -> bool:
    """Read the line before a picture; False at the end of the file.

    Raises:
        ValueError: there is something else.
    """
    line = file.readline(MAX_HEADER_BYTES)
    if not line:
        return False
    if not line.startswith(b"FRAME") or not line.endswith(b"\n"):
        raise ValueError("no YUV4MPEG2 frame header where one must be")
    return True
