"""Writing pictures and reading them back."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc import InputError, OutputError
from gfvc.rectangle import Rectangle
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import is_folder_output, open_writer, write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg, mean_difference, read_all

RATE = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Three smooth coloured pictures, 96 wide and 64 high."""
    x, y = np.meshgrid(np.linspace(0, 255, 96), np.linspace(0, 255, 64))
    return [
        np.stack([x, y, np.full_like(x, level)], axis=2).round().astype(np.uint8)
        for level in (0, 120, 255)
    ]


@pytest.mark.parametrize(
    ("suffix", "limit"), [(".mkv", 0.0), (".MKV", 0.0), (".y4m", 1.5), (".mp4", 3.0)]
)
def test_videos_are_read_as_they_were_written(
    pictures: list[Picture], tmp_path: Path, suffix: str, limit: float
) -> None:
    path = write_video(tmp_path / f"video{suffix}", pictures, RATE)
    video = probe_video(path)
    assert (video.width, video.height, video.rate, video.has_audio) == (96, 64, RATE, False)
    read = read_all(path, RATE)
    assert len(read) == 3
    for one, other in zip(read, pictures, strict=True):
        assert mean_difference(one, other) <= limit
        # No colour matrix or range was mixed up: not even the extremes are off.
        assert np.abs(one.astype(float).mean(axis=(0, 1)) - other.mean(axis=(0, 1))).max() <= limit


@pytest.mark.parametrize("rate", [1, 12, 25])
def test_a_video_has_a_picture_however_short_it_is(
    pictures: list[Picture], tmp_path: Path, rate: int
) -> None:
    path = write_video(tmp_path / "video.mkv", pictures[:1], Fraction(25))
    assert len(read_all(path, Fraction(rate))) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".y4m", ".mkv"])
@pytest.mark.parametrize("size", [(96, 62), (94, 64), (90, 58)])
def test_any_even_size_is_written(
    pictures: list[Picture], tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    """Chroma has half as many rows, also where these are an odd number."""
    width, height = size
    cut = [np.ascontiguousarray(picture[:height, :width]) for picture in pictures]
    read = read_all(write_video(tmp_path / f"video{suffix}", cut, RATE), RATE)
    assert read[0].shape == (height, width, 3)
    for one, other in zip(read, cut, strict=True):
        assert mean_difference(one, other) <= 3


@pytest.mark.parametrize("suffix", [".mp4", ".y4m"])
def test_other_programs_see_the_same_colours(
    pictures: list[Picture], tmp_path: Path, suffix: str
) -> None:
    path = write_video(tmp_path / f"video{suffix}", pictures, RATE)
    if suffix == ".mp4":
        with av.open(str(path)) as container:
            context = container.streams.video[0].codec_context
            stated = (context.color_primaries, context.color_trc, int(context.colorspace))
            assert stated == (1, 1, 1)
            assert int(context.color_range) == 1
    else:
        # The format has no word for the matrix: readers take BT.601.
        header = path.read_bytes()[:100]
        assert b"C420mpeg2" in header
        assert b"XCOLORRANGE=LIMITED" in header
    exact = "scale=out_range=pc:flags=accurate_rnd+full_chroma_inp"
    raw = ffmpeg("-i", path, "-vf", exact, "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    shown = np.frombuffer(raw, np.uint8).reshape(-1, 64, 96, 3)
    assert len(shown) == 3
    for one, other in zip(shown, pictures, strict=True):
        assert np.abs(one.astype(float).mean(axis=(0, 1)) - other.mean(axis=(0, 1))).max() < 4


def test_lossless_video_times_are_those_of_the_rate(
    pictures: list[Picture], tmp_path: Path
) -> None:
    path = write_video(tmp_path / "video.mp4", pictures, RATE)
    with av.open(str(path)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]  # type: ignore[operator]
    np.testing.assert_allclose(times, [0, 1001 / 30000, 2002 / 30000], atol=1e-6)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".y4m"])
def test_a_video_without_pictures_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match="no picture to write"):
        write_video(tmp_path / f"video{suffix}", [], RATE)


def test_an_abandoned_video_raises_no_second_error(pictures: list[Picture], tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "video.mp4", RATE)

    def fail() -> None:
        with writer:
            writer.write(pictures[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("out.mp4", False),
        ("out.MKV", False),
        ("out.y4m", False),
        ("pictures", True),
        ("a.b/c", True),
    ],
)
def test_the_suffix_says_what_is_written(name: str, folder: bool) -> None:
    assert is_folder_output(Path(name)) == folder


def test_an_existing_folder_is_a_folder_whatever_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "v1.0").mkdir()
    assert is_folder_output(tmp_path / "v1.0")
    with pytest.raises(OutputError, match=r"cannot write \.0"):
        is_folder_output(tmp_path / "v2.0")


@pytest.mark.parametrize(
    ("pixels", "codec"),
    [
        ("yuv420p", "ffv1"),
        ("yuv422p10le", "ffv1"),
        ("yuv444p", "ffv1"),
        ("gray", "ffv1"),
        ("bgra", "ffv1"),
        ("yuvj420p", "mjpeg"),
        ("pal8", "png"),
    ],
)
def test_any_pixel_format_is_read(
    pictures: list[Picture], tmp_path: Path, pixels: str, codec: str
) -> None:
    source = write_video(tmp_path / "source.mkv", pictures, Fraction(25))
    path = tmp_path / "video.mkv"
    ffmpeg("-i", source, "-pix_fmt", pixels, "-c:v", codec, "-q:v", "2", path)
    read = read_all(path, Fraction(25))
    assert len(read) == 3
    assert read[0].shape == (64, 96, 3)
    if pixels not in ("gray", "pal8"):
        assert mean_difference(read[1], pictures[1]) < 4.0


def test_a_part_is_that_part_of_the_whole(pictures: list[Picture], tmp_path: Path) -> None:
    path = write_video(tmp_path / "video.mkv", pictures, Fraction(25))
    part = list(read_pictures(path, Fraction(25), Rectangle(10, 6, 40, 50)))
    for one, other in zip(part, pictures, strict=True):
        np.testing.assert_array_equal(one, other[6:56, 10:50])


def test_a_still_image_is_a_clip_of_one_picture(pictures: list[Picture], tmp_path: Path) -> None:
    with open_writer(tmp_path, RATE) as writer:
        writer.write(pictures[1])
    read = read_all(tmp_path / "000000.png", Fraction(25))
    assert len(read) == 1
    np.testing.assert_array_equal(read[0], pictures[1])


def damage_mdat(data: bytes) -> bytes:
    """Noise over the second half of the coded pictures."""
    start = data.index(b"mdat")
    size = int.from_bytes(data[start - 4 : start], "big")
    middle = start + size // 2
    noise = np.random.default_rng(0).integers(0, 256, size // 4, np.uint8).tobytes()
    return data[:middle] + noise + data[middle + len(noise) :]


def damage_header(data: bytes) -> bytes:
    start = data.index(b"avcC")
    return data[:start] + bytes(40) + data[start + 40 :]


@pytest.mark.parametrize("damage", [damage_mdat, damage_header])
def test_a_damaged_video_is_read_or_refused(
    tmp_path: Path, pictures: list[Picture], damage: Callable[[bytes], bytes]
) -> None:
    path = write_video(tmp_path / "video.mp4", pictures * 5, Fraction(25))
    path.write_bytes(damage(path.read_bytes()))
    refusal = None
    try:
        assert len(read_all(path, Fraction(25))) == 15
    except InputError as error:
        refusal = str(error)
    assert refusal is None or refusal.startswith(f"{path}: ")
