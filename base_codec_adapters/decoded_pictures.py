"""What a decoder program wrote: raw video or YUV4MPEG2, whose pictures are read when asked for."""

from __future__ import annotations

import os
import re
import shutil
import weakref
from array import array
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, Literal, overload

from base_codec_adapters.byte_stream import PictureFormat
from base_codec_adapters.pictures import Picture420, picture_from_raw, raw_picture_size

Container = Literal["y4m", "yuv"]
"""YUV4MPEG2, which carries its format, or raw video, which does not."""

MAX_HEADER_BYTES = 1024

_FORMAT = re.compile(rb"C420(?:jpeg|mpeg2|paldv|p(?P<bits>\d{1,2}))?\Z")


def read_header(file: IO[bytes]) -> PictureFormat:
    """Read the first line of a YUV4MPEG2 file.

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
    """Read the line before a picture of YUV4MPEG2; False at the end of the file.

    Raises:
        ValueError: there is something else.
    """
    line = file.readline(MAX_HEADER_BYTES)
    if not line:
        return False
    if not line.startswith(b"FRAME") or not line.endswith(b"\n"):
        raise ValueError("no YUV4MPEG2 frame header where one must be")
    return True


def append(file: IO[bytes], path: Path, container: Container) -> None:
    """Add the pictures of a decoded file to others of the same format, or to none yet."""
    with path.open("rb") as decoded:
        if file.tell() and container == "y4m":
            decoded.readline(MAX_HEADER_BYTES)
        shutil.copyfileobj(decoded, file)


class DecodedPictures(Sequence[Picture420]):
    """The whole pictures of a decoded file, rounded to 8 bits, each read when it is asked for.

    However many there are, memory holds those that the caller keeps. The file stays open until
    `close`, or until nobody uses the object any more; it may be removed meanwhile.

    ``problem`` says what is wrong with the file after its last whole picture, None if nothing is.
    """

    def __init__(self, path: Path, container: Container, expected: PictureFormat) -> None:
        self._format = expected
        self._size = raw_picture_size(expected.width, expected.height, expected.bit_depth)
        self._offsets = array("q")
        self._close: weakref.finalize[..., object] | None = None
        self.problem: str | None = None
        try:
            with path.open("rb") as file:
                self._descriptor = os.dup(file.fileno())
                self._close = weakref.finalize(self, os.close, self._descriptor)
                self._index(file, container)
        except (OSError, ValueError) as error:
            self.problem = f"after {len(self)} whole pictures: {error}"

    def _index(self, file: BufferedReader, container: Container) -> None:
        """Note where pictures start; ValueError where the file is not as expected."""
        end = os.fstat(file.fileno()).st_size
        if container == "y4m":
            written = read_header(file)
            if written != self._format:
                raise ValueError(f"wrote {written}, but the stream states {self._format}")
        while read_frame_header(file) if container == "y4m" else file.tell() < end:
            start = file.tell()
            if start + self._size > end:
                raise ValueError(f"a picture is cut off after {end - start} of {self._size} bytes")
            self._offsets.append(start)
            file.seek(start + self._size)

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> Picture420: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Picture420, ...]: ...
    def __getitem__(self, index: int | slice) -> Picture420 | tuple[Picture420, ...]:
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        offset = self._offsets[index]
        if self._close is None or not self._close.alive:
            raise ValueError("the decoded pictures are closed")
        data = os.pread(self._descriptor, self._size, offset)
        if len(data) != self._size:
            raise OSError("a decoded picture cannot be read back")
        return picture_from_raw(
            data, self._format.width, self._format.height, self._format.bit_depth
        )

    def __iter__(self) -> Iterator[Picture420]:
        return (self[index] for index in range(len(self)))

    def close(self) -> None:
        """Forget the pictures."""
        if self._close is not None:
            self._close()
