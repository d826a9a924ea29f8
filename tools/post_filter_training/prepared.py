"""The form in which coded pictures lie on disk: a video of what was coded, streams, and a table.

`SPLIT/NAME.mkv` has the pictures as they were before coding. `NAME.K.vvc` and `NAME.K.hevc` are
sequences of them, coded. `NAME.npz` says which pictures are in which, and has no pickled objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from base_codec_adapters import Codec, Picture420
from gfvc.colour import to_rgb
from models.contract import Picture
from models.errors import TrainingError

PARTS = 3
"""Mouth and both eyes."""


@dataclass(frozen=True, slots=True)
class CodedStream:
    """A coded sequence.

    Attributes:
        name: of its file.
        codec: of it.
        pictures: the numbers of those in it, in output order.
        qps: quantisation parameters of the first of them, and of the others.
    """

    name: str
    codec: Codec
    pictures: npt.NDArray[np.int32]
    qps: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CodedVideo:
    """A video whose pictures were coded.

    Attributes:
        video: name of the file, with its split.
        parts: [N, 3, 3], of mouth and eyes in each picture the middle and the side of the square
            around it, in picture widths and heights; NaN without a face.
        streams: what they were coded into.
    """

    video: str
    parts: npt.NDArray[np.float32]
    streams: tuple[CodedStream, ...]

    @property
    def split(self) -> str:
        """Train or validation."""
        return self.video.partition("/")[0]

    def save(self, path: Path) -> None:
        """Write the table."""
        np.savez_compressed(
            path,
            video=np.array(self.video),
            parts=self.parts.astype(np.float16),
            names=np.array([stream.name for stream in self.streams]),
            codecs=np.array([stream.codec for stream in self.streams]),
            counts=np.array([len(stream.pictures) for stream in self.streams]),
            qps=np.array([stream.qps for stream in self.streams], np.int32),
            pictures=np.concatenate([stream.pictures for stream in self.streams]),
        )


def load_coded_video(path: Path) -> CodedVideo:
    """Read a table that `CodedVideo.save` wrote; raise `TrainingError` for a damaged one."""
    try:
        with path.open("rb") as file:
            table = dict(np.load(file, allow_pickle=False))
        ends = np.cumsum(table["counts"])[:-1]
        streams = tuple(
            CodedStream(str(name), cast(Codec, str(codec)), pictures, (int(key), int(others)))
            for name, codec, pictures, (key, others) in zip(
                table["names"],
                table["codecs"],
                np.split(table["pictures"], ends),
                table["qps"],
                strict=True,
            )
        )
        return CodedVideo(str(table["video"]), table["parts"].astype(np.float32), streams)
    except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
        raise TrainingError(f"{path}: no table that can be read ({error})") from None


def read_stream(folder: Path, stream: CodedStream) -> list[Picture]:
    """The decoded pictures of a sequence, uint8 RGB [H, W, 3], in output order.

    PyAV decodes them, so that no program is needed where this is done.

    Raises:
        TrainingError: the file cannot be read, or not as many pictures are in it.
    """
    import av

    path = folder / stream.name
    try:
        with av.open(str(path), format=stream.codec) as container:
            frames = [frame.to_ndarray() for frame in container.decode(video=0)]
    except (OSError, av.FFmpegError) as error:
        raise TrainingError(f"{path}: cannot be decoded ({error})") from None
    if len(frames) != len(stream.pictures):
        raise TrainingError(f"{path}: {len(frames)} pictures; want {len(stream.pictures)}")
    return [to_rgb(_picture420(planes)) for planes in frames]


def _picture420(planes: npt.NDArray[Any]) -> Picture420:
    """The planes of a frame as PyAV has them, one beneath the other, rounded to 8 bits."""
    if planes.dtype != np.uint8:
        planes = np.minimum((planes.astype(np.int32) + 2) >> 2, 255).astype(np.uint8)
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    return Picture420(planes[:height].copy(), chroma[0].copy(), chroma[1].copy())
