"""PNG pictures with text and colour profiles: read as without, and never unpacked to any size."""

from __future__ import annotations

import io
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from gfvc.errors import InputError
from gfvc.png_chunks import MAX_UNPACKED, refuse_expanding, with_compressed_hidden
from gfvc.video_reader import probe_video, read_pictures
from tests.gfvc.support import ffmpeg, no_notes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LEVELS = (10, 80, 200)


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png(level: int, *extra: bytes) -> bytes:
    """A grey picture with further chunks after its header."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (level, level, level)).save(file, "PNG")
    whole = file.getvalue()
    header = len(SIGNATURE) + 25
    return whole[:header] + b"".join(extra) + whole[header:]


def in_mov(path: Path, pictures: list[bytes]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for number, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.duration, packet.is_keyframe = 1, True
            container.mux(packet)
    return path


def levels_of(path: Path) -> list[int]:
    video = probe_video(path)
    return [int(np.median(picture)) for picture in read_pictures(path, video.rate, notes=no_notes)]


ICC = chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(PROFILE))
TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"text"))
PLAIN = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + bytes(100_000))


def test_pictures_with_a_profile_are_read_from_a_container(tmp_path: Path) -> None:
    """The library frees what it says of a profile twice, and the process ended."""
    path = in_mov(tmp_path / "clip.mov", [png(level, ICC, TEXT, PLAIN) for level in LEVELS])
    assert levels_of(path) == list(LEVELS)


def test_tracks_of_data_beside_them_are_passed_over(tmp_path: Path) -> None:
    path = in_mov(tmp_path / "clip.mov", [png(level, ICC) for level in LEVELS])
    timed = tmp_path / "timed.mov"
    ffmpeg("-i", path, "-c", "copy", "-timecode", "10:00:00:00", timed)
    with av.open(str(timed)) as container:
        assert [stream.type for stream in container.streams] == ["video", "data"]
    assert levels_of(timed) == list(LEVELS)


def test_so_are_animated_ones(tmp_path: Path) -> None:
    path = tmp_path / "clip.png"
    first, *more = (Image.new("RGB", (64, 48), (level,) * 3) for level in LEVELS)
    text = PngImagePlugin.PngInfo()
    text.add_itxt("Comment", "words", zip=True)
    first.save(path, save_all=True, append_images=more, duration=40, icc_profile=PROFILE,
               pnginfo=text)  # fmt: skip
    assert b"iCCP" in path.read_bytes()
    assert levels_of(path) == list(LEVELS)


def test_what_is_hidden_has_its_size_and_is_no_longer_there() -> None:
    whole = png(80, ICC, TEXT, PLAIN)
    hidden = with_compressed_hidden(whole)
    assert len(hidden) == len(whole)
    with Image.open(io.BytesIO(hidden)) as picture:
        picture.verify()  # checksums, too
        assert not {"icc_profile", "Comment"} & set(picture.info)
    assert with_compressed_hidden(png(80)) == png(80)
    # A run of chunks, as an animated PNG has them before its first picture.
    run = with_compressed_hidden(ICC + TEXT)
    assert b"iCCP" not in run
    assert b"zTXt" not in run


@pytest.mark.parametrize("cut", [1, 5, 12, 40])
def test_damaged_chunks_are_left_alone(cut: int) -> None:
    damaged = ICC[:-cut]
    assert with_compressed_hidden(damaged) == damaged


BOMB = zlib.compress(bytes(MAX_UNPACKED + 1), 9)


@pytest.mark.parametrize(
    "bomb",
    [
        chunk(b"zTXt", b"Comment\0\0" + BOMB),
        chunk(b"iCCP", b"name\0\0" + BOMB),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2 * MAX_UNPACKED))[:-4] + bytes(4)),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(MAX_UNPACKED - 1), 9)[:-4] + bytes(4))
        * 2,
        chunk(b"iTXt", b"Comment\0\1\0en\0\0" + BOMB),
        b"".join([chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(MAX_UNPACKED // 2)))] * 3),
    ],
)
def test_what_unpacks_to_more_than_anybody_means_is_refused(tmp_path: Path, bomb: bytes) -> None:
    path = tmp_path / "clip.png"
    path.write_bytes(png(80, bomb))
    with pytest.raises(InputError, match=r"clip\.png: its text and colour profiles unpack to more"):
        probe_video(path)
    # In a container each picture has it, and none is unpacked.
    assert levels_of(in_mov(tmp_path / "clip.mov", [png(80, bomb)] * 3)) == [80] * 3


def test_what_is_not_compressed_may_be_large(tmp_path: Path) -> None:
    path = tmp_path / "clip.png"
    path.write_bytes(png(80, PLAIN, chunk(b"iTXt", b"a\0\0\0\0\0" + bytes(MAX_UNPACKED + 1)), ICC))
    refuse_expanding(path)
    assert levels_of(path) == [80]
