"""Writing decoded pictures: MP4, lossless Matroska, YUV4MPEG2, or a folder of PNG files.

What they say of themselves (`gfvc.stream.marking`) goes into their metadata: the comment of a
video, the comment and the XMP packet of a picture. YUV4MPEG2 has no place for it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from gfvc.errors import OutputError, let_deadline_by, system_errors
from gfvc.media_files import reason
from gfvc.stream.marking import DIGITAL_SOURCE_TYPE
from models.contract import Picture

VIDEO_SUFFIXES = (".mp4", ".mkv", ".y4m")
# Quality at which compression is not seen beside the synthesis.
_CRF = "14"

# Pictures are compressed but little: a folder of them is soon read again.
_PNG_LEVEL = 1

PICTURE_NAMES = re.compile(r"\d{6,}\.png")
"""Names of the files of a folder of pictures."""

_XMP = f"""\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>"""


def is_folder_output(path: Path) -> bool:
    """Tell whether an output path means a folder of PNG files; raise `OutputError` if neither."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return False
    if suffix == "" or path.is_dir():
        return True
    raise OutputError(
        f"{path}: cannot write {suffix}; use {', '.join(VIDEO_SUFFIXES)}, "
        "or a name without suffix for a folder of PNG files"
    )


class PictureWriter(ABC):
    """Takes uint8 RGB pictures [height, width, 3] of one size. Use as a context."""

    @abstractmethod
    def write(self, picture: Picture) -> None:
        """Add a picture; raise `OutputError` when that fails."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes that the output takes so far."""

    def least_size(self, width: int, height: int) -> int:
        """Bytes that a picture takes at the least; 0 where pictures are compressed."""
        return 0

    @abstractmethod
    def close(self) -> None:
        """Complete the output; raise `OutputError` when that fails."""

    def abandon(self) -> None:  # noqa: B027 - not every writer holds something to free
        """Free what is held after an error; the output is incomplete."""

    def __enter__(self) -> PictureWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


class PngFolderWriter(PictureWriter):
    """Writes 000000.png, 000001.png, … into an existing folder."""

    def __init__(self, folder: Path, mark: str | None = None) -> None:
        self._folder = folder
        self._mark = mark
        self._count = 0
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes that the output takes so far."""
        return self._size

    def write(self, picture: Picture) -> None:
        """Add a picture as a PNG file."""
        from PIL import Image
        from PIL.PngImagePlugin import PngInfo

        information = PngInfo()
        if self._mark is not None:
            information.add_itxt("Comment", self._mark)
            information.add_itxt("XML:com.adobe.xmp", _XMP)
        path = self._folder / f"{self._count:06d}.png"
        with system_errors(OutputError, path, "cannot be written"):
            Image.fromarray(picture).save(path, pnginfo=information, compress_level=_PNG_LEVEL)
            self._size += path.stat().st_size
        self._count += 1

    def close(self) -> None:
        """Nothing is left to do."""


class VideoFileWriter(PictureWriter):
    """Writes a video file by its suffix.

    .mp4: H.264 4:2:0 at a quality where its losses are not seen; .mkv: FFV1 in RGB, lossless;
    .y4m: raw 4:2:0. 4:2:0 is BT.709 limited range, and says so; only YUV4MPEG2 cannot, and players
    take it for BT.601 below HD size, which it therefore is there.
    """

    def __init__(self, path: Path, rate: Fraction, mark: str | None = None) -> None:
        self._path = path
        self._rate = rate
        self._mark = mark
        self._container: Any = None
        self._stream: Any = None
        self._count = 0

    @property
    def size(self) -> int:
        """Bytes that the output takes so far."""
        return self._path.stat().st_size if self._path.exists() else 0

    def least_size(self, width: int, height: int) -> int:
        """Bytes that a picture takes at the least; 0 where pictures are compressed."""
        return width * height * 3 // 2 if self._path.suffix.lower() == ".y4m" else 0

    def write(self, picture: Picture) -> None:
        """Add a picture."""
        import av

        try:
            if self._container is None:
                self._open(picture.shape[1], picture.shape[0])
            frame = self._frame(picture)
            frame.pts = self._count
            frame.time_base = 1 / self._rate
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            let_deadline_by(error)
            raise self._failed(error) from error
        self._count += 1

    def _open(self, width: int, height: int) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        suffix = self._path.suffix.lower()
        codec, pixels, options = {
            ".mp4": ("libx264", "yuv420p", {"crf": _CRF, "preset": "veryfast"}),
            ".mkv": ("ffv1", "bgr0", {"level": "3"}),
            ".y4m": ("wrapped_avframe", "yuv420p", {"chroma_sample_location": "left"}),
        }[suffix]
        form = {".mp4": "mp4", ".mkv": "matroska", ".y4m": "yuv4mpegpipe"}[suffix]
        # The same pictures give the same file: no dates, no random identifiers.
        self._container = av.open(
            str(self._path), "w", format=form, options={"fflags": "+bitexact"}
        )
        if self._mark is not None:
            self._container.metadata["comment"] = f"{self._mark}; {DIGITAL_SOURCE_TYPE}"
        self._stream = self._container.add_stream(codec, rate=self._rate, options=options)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = pixels
        if suffix == ".mp4":
            context = self._stream.codec_context
            context.colorspace = Colorspace.ITU709
            context.color_range = ColorRange.MPEG
            context.color_primaries = 1
            context.color_trc = 1
        elif suffix == ".y4m":
            self._stream.codec_context.color_range = ColorRange.MPEG

    def _frame(self, picture: Picture) -> Any:
        import av

        suffix = self._path.suffix.lower()
        if suffix == ".mkv":
            return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="bgr0")
        from gfvc.colour import BT601, to_picture420, untagged_matrix

        height, width = picture.shape[:2]
        is_bt601 = suffix == ".y4m" and untagged_matrix(width, height) == BT601
        planes = to_picture420(picture, "bt601" if is_bt601 else "bt709")
        # Plane after plane, in rows as wide as luma; chroma need not end with one.
        samples = np.concatenate([plane.ravel() for plane in (planes.y, planes.u, planes.v)])
        packed = samples.reshape(height * 3 // 2, width)
        return av.VideoFrame.from_ndarray(packed, format="yuv420p")

    def close(self) -> None:
        """Flush the encoder and write the file's end."""
        import av

        if self._container is None:
            raise OutputError(f"{self._path}: there is no picture to write")
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            let_deadline_by(error)
            raise self._failed(error) from error

    def abandon(self) -> None:
        """Close the file without completing it."""
        import contextlib

        import av

        if self._container is not None:
            with contextlib.suppress(av.FFmpegError, OSError):
                self._container.close()

    def _failed(self, error: Exception) -> OutputError:
        return OutputError(f"{self._path}: cannot be written ({reason(error)})")


def open_writer(path: Path, rate: Fraction, mark: str | None = None) -> PictureWriter:
    """A writer for a temporary output path: a folder that exists, or a video file by suffix.

    `mark` says of the pictures that they were generated.
    """
    if path.is_dir():
        return PngFolderWriter(path, mark)
    return VideoFileWriter(path, rate, mark)


def write_video(
    path: Path, pictures: Iterable[Picture], rate: Fraction, mark: str | None = None
) -> Path:
    """Write pictures as a video or a folder, as `open_writer` opens it; the same path."""
    with open_writer(path, rate, mark) as writer:
        for picture in pictures:
            writer.write(picture)
    return path
