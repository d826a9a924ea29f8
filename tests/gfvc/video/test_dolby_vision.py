from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc import InputError
from gfvc.video_reader import probe_video
from gfvc.video_writer import write_video
from tests.gfvc.support import ffmpeg, read_all

RATE = Fraction(25)
_AROUND = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    grey = np.full((64, 96, 3), 128, np.uint8)
    path = folder / "plain.mp4"
    ffmpeg("-i", write_video(folder / "v.mkv", [grey] * 2, RATE), "-pix_fmt", "yuv420p10le",
           "-c:v", "libx265", "-x265-params", "log-level=none:pools=1", "-tag:v", "hvc1",
           path)  # fmt: skip
    return path


def with_record(plain: Path, path: Path, profile: int, compatible: int) -> Path:
    """The file with a `dvcC` box at the end of its sample entry; `moov` comes last."""
    record = struct.pack(">BBHB", 1, 0, profile << 9 | 3 << 3 | 5, compatible << 4).ljust(24, b"\0")
    box = struct.pack(">I4s", 32, b"dvcC") + record
    data, at = bytearray(plain.read_bytes()), 0
    for name in _AROUND:
        at = data.index(name, at)
        size = struct.unpack_from(">I", data, at - 4)[0]
        end = at - 4 + size
        struct.pack_into(">I", data, at - 4, size + len(box))
    data[end:end] = box
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_colours_of_dolby_vision_alone_are_refused(
    plain: Path, tmp_path: Path, suffix: str
) -> None:
    path = with_record(plain, tmp_path / "dolby.mp4", 5, 0)
    if suffix != "mp4":
        other = tmp_path / f"dolby.{suffix}"
        ffmpeg("-i", path, "-c", "copy", "-strict", "unofficial", other)
        path = other
    for read in (probe_video, lambda path: read_all(path, RATE)):
        with pytest.raises(InputError, match=rf"{path.name}: is Dolby Vision of profile 5, whose"):
            read(path)


@pytest.mark.parametrize(("profile", "compatible"), [(7, 6), (7, 0), (8, 1), (8, 4)])
def test_a_picture_that_others_show_is_read(
    plain: Path, tmp_path: Path, profile: int, compatible: int
) -> None:
    path = with_record(plain, tmp_path / "dolby.mp4", profile, compatible)
    assert len(read_all(path, RATE)) == 2
