"""VMAF, by the ffmpeg program with libvmaf.

Li et al., "Toward a practical perceptual video quality metric", 2016. Model vmaf_v0.6.1, which
was trained on television pictures seen from three times their height, on pictures as they are:
small ones are not scaled up. Samples are 4:2:0, BT.709, limited range.
"""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import IO

from base_codec_adapters.pictures import write_raw_video
from base_codec_adapters.temporary import naming_tmpdir, temporary_folder
from base_codec_adapters.video_quality import RawVideo, measure_vmaf
from gfvc.colour import to_picture420
from models.contract import Picture

_BIT_DEPTH = 8


class VmafMeasure:
    """Keeps the pictures of a clip as raw video in a temporary folder until the end."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._size = (0, 0)
        self._open = contextlib.ExitStack()
        self._folder = self._open.enter_context(temporary_folder("gfvc-vmaf-"))
        self._paths = [self._folder / name for name in ("source.yuv", "decoded.yuv")]
        self._files: list[IO[bytes]] = [path.open("wb") for path in self._paths]

    def add(self, source: Picture, decoded: Picture) -> None:
        """Add a pair of pictures uint8 RGB [height, width, 3] with even sides, of one size.

        Raises `TemporaryFolderError` when there is no room for them.
        """
        height, width = source.shape[:2]
        self._size = (width, height)
        with naming_tmpdir(self._folder):
            for file, picture in zip(self._files, (source, decoded), strict=True):
                write_raw_video(file, [to_picture420(picture)], width, height, _BIT_DEPTH)

    def finish(self) -> list[float]:
        """VMAF of each picture, 0..100; raises `BaseCodecError` when the program fails."""
        with naming_tmpdir(self._folder):
            for file in self._files:
                file.close()
        width, height = self._size
        source, decoded = (RawVideo(path, width, height, self._rate) for path in self._paths)
        return measure_vmaf(source, decoded)

    def close(self) -> None:
        """Remove the temporary files."""
        for file in self._files:
            with contextlib.suppress(OSError):  # a full disk was told of before
                file.close()
        self._open.close()
