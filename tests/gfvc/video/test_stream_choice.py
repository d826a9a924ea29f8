from __future__ import annotations

import types
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.stream import Disposition

from gfvc import InputError
from gfvc.video.stream_choice import choose_stream
from gfvc.video_reader import probe_video
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg, read_all

RATE = Fraction(25)


def grey(level: int, width: int = 64, height: int = 64) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """video.mkv is dark, other.mkv bright, big.mkv white and larger; cover.png is grey."""
    folder = tmp_path_factory.mktemp("streams")
    write_video(folder / "video.mkv", [grey(40)] * 5, RATE)
    write_video(folder / "other.mkv", [grey(200)] * 5, RATE)
    write_video(folder / "big.mkv", [grey(250, 128, 96)] * 5, RATE)
    ffmpeg("-i", write_video(folder / "still.mkv", [grey(120, 256, 256)], RATE),
           folder / "cover.png")  # fmt: skip
    return folder


def level(path: Path) -> int:
    """The level of all pictures of a video of five."""
    pictures = read_all(path, RATE)
    assert len(pictures) == 5
    levels = {int(picture.mean().round()) for picture in pictures}
    assert len(levels) == 1
    return levels.pop()


def test_a_cover_is_not_the_video(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "cover_first.mp4"
    ffmpeg("-i", folder / "cover.png", "-i", folder / "video.mkv", "-map", "0", "-map", "1",
           "-c:v:0", "copy", "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p",
           "-disposition:v:0", "attached_pic", path)  # fmt: skip
    assert level(path) == 40
    video = probe_video(path)
    assert (video.width, video.height, video.note) == (64, 64, None)


def test_a_cover_that_is_not_called_so_comes_after_the_default(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cover_first.mkv"
    ffmpeg("-i", folder / "cover.png", "-i", folder / "video.mkv", "-map", "0", "-map", "1",
           "-c", "copy", "-disposition:v:0", "0", "-disposition:v:1", "default", path)  # fmt: skip
    assert level(path) == 40
    assert probe_video(path).note == (
        f"{path}: holds 2 video streams; number 1 is read (ffv1, 64x64)"
    )


@pytest.mark.parametrize("flags", [("default", "default"), ("default", "0"), ("0", "0")])
def test_a_large_cover_that_says_nothing_is_not_the_video(
    folder: Path, tmp_path: Path, flags: tuple[str, str]
) -> None:
    """Matroska does not say how many pictures a stream has."""
    path = tmp_path / "cover_first.mkv"
    ffmpeg("-i", folder / "cover.png", "-i", folder / "video.mkv", "-map", "0", "-map", "1",
           "-c", "copy", "-disposition:v:0", flags[0], "-disposition:v:1", flags[1],
           "-default_mode", "passthrough", path)  # fmt: skip
    assert level(path) == 40


@pytest.mark.parametrize(
    ("names", "default", "chosen"),
    [
        (("video", "other"), 1, 200),
        (("video", "big"), 0, 40),
        (("video", "big"), None, 250),
        (("video", "other"), None, 40),
    ],
)
def test_the_default_stream_is_read_and_else_the_largest(
    folder: Path, tmp_path: Path, names: tuple[str, str], default: int | None, chosen: int
) -> None:
    path = tmp_path / "two.mkv"
    flags = ["default" if number == default else "0" for number in (0, 1)]
    ffmpeg("-i", folder / f"{names[0]}.mkv", "-i", folder / f"{names[1]}.mkv", "-map", "0",
           "-map", "1", "-c", "copy", "-disposition:v:0", flags[0], "-disposition:v:1", flags[1],
           "-default_mode", "passthrough", path)  # fmt: skip
    assert level(path) == chosen
    note = probe_video(path).note
    assert note is not None
    assert f"number {(40, 200, 250).index(chosen) and 1} is read" in note


@pytest.mark.parametrize("codecs", [("libx264", "mpeg4"), ("mpeg4", "libx264")])
def test_what_nothing_decodes_is_not_the_video(
    folder: Path, tmp_path: Path, codecs: tuple[str, str]
) -> None:
    path = tmp_path / "two.mp4"
    ffmpeg("-i", folder / "big.mkv", "-map", "0", "-map", "0", "-c:v:0", codecs[0],
           "-c:v:1", codecs[1], "-pix_fmt", "yuv420p", path)  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1"))
    video = probe_video(path)
    assert (video.width, video.height) == (128, 96)
    assert video.note is not None
    number = codecs.index("mpeg4")
    assert f"holds 2 video streams; number {number} is read (mpeg4, 128x96)" in video.note
    assert len(read_all(path, RATE)) == 5


def test_sound_with_a_cover_is_no_video(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", "-i", folder / "cover.png", "-map", "0",
           "-map", "1", "-c:a", "libmp3lame", "-c:v", "copy", "-disposition:v", "attached_pic",
           path)  # fmt: skip
    with pytest.raises(InputError, match=r"song\.mp3: holds no video but a cover picture$"):
        probe_video(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5", "-c:a", "aac", path)
    with pytest.raises(InputError, match=r"sound\.m4a: holds no video$"):
        probe_video(path)


def test_all_pictures_of_an_animated_avif_are_read(tmp_path: Path) -> None:
    pictures = [grey(level) for level in (20, 60, 100, 140, 180)]
    path = tmp_path / "anim.avif"
    ffmpeg("-i", write_video(tmp_path / "v.mkv", pictures, RATE), "-pix_fmt", "yuv420p",
           "-c:v", "libaom-av1", "-cpu-used", "8", path)  # fmt: skip
    read = read_all(path, probe_video(path).rate)
    assert [round(float(picture.mean()) / 20) for picture in read] == [1, 3, 5, 7, 9]


def test_an_animated_webp_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "anim.webp"
    ffmpeg("-i", write_video(tmp_path / "v.mkv", [grey(20), grey(90)], RATE),
           "-c:v", "libwebp_anim", path)  # fmt: skip
    with pytest.raises(InputError, match="animated WebP picture, which cannot be read"):
        probe_video(path)
    still = tmp_path / "still.webp"
    ffmpeg("-i", tmp_path / "v.mkv", "-frames:v", "1", "-c:v", "libwebp", still)
    assert probe_video(still).width == 64


def stream(disposition: Disposition, index: int = 0) -> Any:
    context = types.SimpleNamespace(
        width=512, height=512, codec=types.SimpleNamespace(canonical_name="hevc")
    )
    return types.SimpleNamespace(
        disposition=disposition, index=index, frames=1, codec_context=context
    )


def container(*dispositions: Disposition) -> Any:
    streams = [stream(one, index) for index, one in enumerate(dispositions)]
    return types.SimpleNamespace(streams=types.SimpleNamespace(video=streams))


def test_tiles_of_a_picture_are_not_the_picture() -> None:
    """As telephones store photos: libavformat marks tiles as dependent (HEIF, ISO/IEC 23008-12)."""
    with pytest.raises(InputError, match=r"a\.heic: is a picture made of 2 tiles"):
        choose_stream(container(Disposition.dependent, Disposition.dependent), Path("a.heic"))
    both = container(Disposition.dependent, Disposition.default)
    assert choose_stream(both, Path("a.heic")).stream.index == 1


def test_program_streams_that_were_copied_from_mp4(tmp_path: Path) -> None:
    """ffmpeg leaves out what H.264 is known by there; which of the two is said is chance."""
    clip = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=128x64:r=25", "-frames:v", "3", "-c:v", "libx264",
           "-pix_fmt", "yuv420p", clip)  # fmt: skip
    path = tmp_path / "copied.mpg"
    ffmpeg("-i", clip, "-c", "copy", "-f", "vob", path)
    says = r"(holds no video|not decoded here), or pictures .* from MP4.*-bsf:v h264_mp4toannexb"
    with pytest.raises(InputError, match=says):
        probe_video(path)
    ffmpeg("-i", clip, "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "vob", path)
    assert probe_video(path).rate == RATE
