"""Edges of pictures that a file hides: by its container, and by parameter sets of the codec."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.rectangle import Rectangle
from gfvc.video.brightness import is_bright
from gfvc.video.cropping import Cropping
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg, no_notes, read_all

RATE = Fraction(25)
WIDTH, HEIGHT = 160, 96
VISIBLE = Rectangle(21, 6, 100, 79)
"""What `clap` leaves below, odd on purpose."""

# Boxes that hold others, with how many bytes come before those.
_HEADERS = {b"moov": 8, b"trak": 8, b"mdia": 8, b"minf": 8, b"stbl": 8, b"stsd": 16}


def clap(visible: Rectangle, width: int, height: int) -> bytes:
    """A clean aperture box, ISO/IEC 14496-12, 12.1.4: size and offset of the middle."""
    right = 2 * visible.left + visible.width - width
    down = 2 * visible.top + visible.height - height
    numbers = (visible.width, 1, visible.height, 1, right, 2, down, 2)
    return struct.pack(">I4s8i", 40, b"clap", *numbers)


def with_clap(
    path: Path, output: Path, visible: Rectangle, width: int = WIDTH, height: int = HEIGHT
) -> Path:
    """An MP4 or MOV file with its `moov` at the end, and the box in its first sample entry."""
    data = path.read_bytes()
    inside, at = [], 0
    while True:
        size, name = struct.unpack_from(">I4s", data, at)
        if name in (b"avc1", *_HEADERS):
            inside.append(at)
            if name == b"avc1":
                break
            at += _HEADERS[name]
        else:
            at += size
    changed = bytearray(data)
    for place in inside:
        struct.pack_into(">I", changed, place, struct.unpack_from(">I", data, place)[0] + 40)
    changed[at + size : at + size] = clap(visible, width, height)
    output.write_bytes(changed)
    return output


@pytest.fixture(scope="module")
def stored() -> list[Picture]:
    """Three pictures of noise that is not the same in any two places."""
    noise = np.random.default_rng(3).integers(0, 256, (3, HEIGHT, WIDTH, 3), np.uint8)
    return list(noise)


@pytest.fixture(scope="module")
def whole(stored: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """They are all seen here."""
    folder = tmp_path_factory.mktemp("whole")
    lossless = write_video(folder / "stored.mkv", stored, RATE)
    ffmpeg("-i", lossless, "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv444p", folder / "w.mp4")
    return folder / "w.mp4"


@pytest.fixture(scope="module", params=[".mp4", ".mov", ".mkv"])
def cropped(
    request: pytest.FixtureRequest, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The container hides edges: `clap`, PixelCrop of Matroska."""
    folder = tmp_path_factory.mktemp("cropped")
    if request.param == ".mov":
        ffmpeg("-i", whole, "-c", "copy", folder / "whole.mov")
        whole = folder / "whole.mov"
    path = with_clap(whole, folder / f"clap{whole.suffix}", VISIBLE)
    if request.param == ".mkv":
        ffmpeg("-i", path, "-c", "copy", folder / "clap.mkv")
        path = folder / "clap.mkv"
    return path


def test_what_the_container_hides_is_not_shown(cropped: Path, whole: Path) -> None:
    video = probe_video(cropped)
    assert (video.width, video.height) == (VISIBLE.width, VISIBLE.height)
    part = Rectangle(10, 7, 33, 40)
    pictures = list(read_pictures(cropped, RATE, notes=no_notes))
    parts = list(read_pictures(cropped, RATE, part))
    originals = read_all(whole, RATE)
    assert len(pictures) == len(parts) == len(originals) == 3
    for picture, of_it, original in zip(pictures, parts, originals, strict=True):
        np.testing.assert_array_equal(picture, VISIBLE.cut(original))
        np.testing.assert_array_equal(of_it, part.cut(VISIBLE.cut(original)))


def test_it_is_cut_off_before_the_picture_is_turned(cropped: Path, tmp_path: Path) -> None:
    turned = tmp_path / f"turned{cropped.suffix}"
    ffmpeg("-display_rotation", "90", "-i", cropped, "-c", "copy", turned)
    video = probe_video(turned)
    assert (video.width, video.height) == (VISIBLE.height, VISIBLE.width)
    part = Rectangle(5, 12, 30, 41)
    for picture, of_it, upright in zip(
        read_pictures(turned, RATE), read_pictures(turned, RATE, part), read_all(cropped, RATE),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(picture, np.rot90(upright))
        np.testing.assert_array_equal(of_it, part.cut(picture))


def test_pixels_that_are_no_squares_become_some(whole: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.mp4"
    ffmpeg("-i", whole, "-c", "copy", "-aspect", f"{2 * WIDTH}:{HEIGHT}", wide)
    video = probe_video(with_clap(wide, tmp_path / "clap.mp4", VISIBLE))
    assert (video.width, video.height) == (2 * VISIBLE.width, VISIBLE.height)
    pictures = read_all(tmp_path / "clap.mp4", RATE)
    assert pictures[0].shape == (VISIBLE.height, 2 * VISIBLE.width, 3)


def test_it_is_the_stream_that_is_read(cropped: Path, whole: Path, tmp_path: Path) -> None:
    """The first stream is hidden in part, and the second one is read."""
    path = tmp_path / f"two{cropped.suffix}"
    ffmpeg("-i", cropped, "-i", whole, "-map", "0", "-map", "1", "-c", "copy",
           "-disposition:v:0", "0", "-disposition:v:1", "default", path)  # fmt: skip
    video = probe_video(path)
    assert video.note is not None
    assert "number 1 is read" in video.note
    assert (video.width, video.height) == (WIDTH, HEIGHT)


def test_interlaced_pictures_are_made_whole_first(tmp_path: Path) -> None:
    """An odd number of rows on top leaves each row in its field."""
    path = tmp_path / "fields.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={WIDTH}x{HEIGHT}:r=50:d=0.16", "-vf",
           "tinterlace=interleave_top,setfield=tff,format=yuv420p", "-c:v", "libx264", "-crf", "8",
           "-flags", "+ilme+ildct", "-x264-params", "tff=1", path)  # fmt: skip
    visible = Rectangle(20, 7, 100, 80)
    cut = read_all(with_clap(path, tmp_path / "clap.mp4", visible), RATE)
    originals = read_all(path, RATE)
    assert len(cut) == len(originals) == 4
    for picture, original in zip(cut, originals, strict=True):
        np.testing.assert_array_equal(picture, visible.cut(original))


def test_hidden_parts_do_not_make_hdr_darker(tmp_path: Path) -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    picture[:, : WIDTH // 2] = 250
    path = tmp_path / "pq.mp4"
    ffmpeg("-i", write_video(tmp_path / "v.mkv", [picture] * 2, RATE), "-vf",
           "format=yuv420p,setparams=color_primaries=bt2020:color_trc=smpte2084:"
           "colorspace=bt2020nc", "-c:v", "libx264", path)  # fmt: skip
    assert is_bright(path)
    dark = Rectangle(WIDTH // 2 + 8, 0, WIDTH // 2 - 8, HEIGHT)
    assert not is_bright(with_clap(path, tmp_path / "clap.mp4", dark))


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("left", [2, 40])
def test_what_the_codec_hides_on_the_left_is_not_shown(
    stored: list[Picture], tmp_path: Path, codec: str, left: int
) -> None:
    """Decoders show it to where memory is aligned, unless they are told not to."""
    coding = {
        "h264": ("-c:v", "libx264", "-qp", "0"),
        "hevc": ("-c:v", "libx265", "-x265-params", "lossless=1:log-level=none"),
    }
    whole, cropped = tmp_path / "whole.mp4", tmp_path / "cropped.mp4"
    ffmpeg("-i", write_video(tmp_path / "v.mkv", stored, RATE), *coding[codec], "-pix_fmt",
           "yuv420p", whole)  # fmt: skip
    ffmpeg("-i", whole, "-c", "copy", "-bsf:v",
           f"{codec}_metadata=crop_left={left}:crop_right=6:crop_top=12", cropped)  # fmt: skip
    visible = Rectangle(left, 12, WIDTH - left - 6, HEIGHT - 12)
    video = probe_video(cropped)
    assert (video.width, video.height) == (visible.width, visible.height)
    for picture, original in zip(
        read_all(cropped, RATE), read_all(whole, RATE), strict=True
    ):  # fmt: skip
        # Chroma at the edges is interpolated from what is hidden, or not.
        inner = np.s_[2:-2, 2:-2]
        np.testing.assert_array_equal(picture[inner], visible.cut(original)[inner])


def test_cropping_that_leaves_nothing_is_not_meant() -> None:
    assert Cropping(2, 3, 4, 5).visible(20, 10) == Rectangle(2, 4, 15, 1)
    for nothing in (Cropping(left=12, right=8), Cropping(top=10), Cropping(bottom=4_000_000_000)):
        assert nothing.leaves_nothing(20, 10)
        assert nothing.visible(20, 10) == Rectangle(0, 0, 20, 10)
