"""Videos and settings that cannot be encoded: one line, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gfvc.demo_clip import RATE
from gfvc.video_writer import write_video
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg

Make = Callable[[Path, Path], Path]


def a_text(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    path.write_text("A face is worth a thousand words.\n" * 100)
    return path


def noise(folder: Path, clip: Path) -> Path:
    path = folder / "in.mkv"
    path.write_bytes(np.random.default_rng(0).integers(0, 256, 50_000, np.uint8).tobytes())
    return path


def empty(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    path.write_bytes(b"")
    return path


def a_folder(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    path.mkdir()
    return path


def missing(folder: Path, clip: Path) -> Path:
    return folder / "in.mp4"


def a_long_name(folder: Path, clip: Path) -> Path:
    return folder / ("n" * 300 + ".mp4")


def beneath_a_file(folder: Path, clip: Path) -> Path:
    return a_text(folder, clip) / "in.mp4"


def sound_only(folder: Path, clip: Path) -> Path:
    path = folder / "in.mka"
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=0.5", path)
    return path


def cut(video: Path, share: float) -> Path:
    video.write_bytes(video.read_bytes()[: int(share * video.stat().st_size)])
    return video


def mp4_without_its_end(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    ffmpeg("-i", clip, "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    return cut(path, 0.7)


def mp4_with_index_first(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    ffmpeg("-i", clip, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
    return cut(path, 0.7)


def mkv_without_its_end(folder: Path, clip: Path) -> Path:
    path = folder / "in.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=gray:size=64x64:rate=10:duration=4", "-c:v", "ffv1", path)
    return cut(path, 0.6)


def blank(folder: Path, clip: Path) -> Path:
    return write_video(folder / "in.mkv", [np.full((128, 128, 3), 90, np.uint8)] * 3, RATE)


def blank_and_large(folder: Path, clip: Path) -> Path:
    return write_video(folder / "in.mkv", [np.full((288, 384, 3), 90, np.uint8)] * 3, RATE)


def tiny(folder: Path, clip: Path) -> Path:
    path = folder / "in.mkv"
    ffmpeg("-i", clip, "-vf", "scale=48:62", "-c:v", "ffv1", path)
    return path


def a_playlist(folder: Path, clip: Path) -> Path:
    """With the suffix of a video; libavformat would read the clip that it names."""
    path = folder / "in.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n")
    return path


def a_list_of_parts(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    path.write_text(f"ffconcat version 1.0\nfile {clip}\n")
    return path


BAD_VIDEOS: list[tuple[Make, str]] = [
    (a_text, "not a video"),
    (noise, "not a video"),
    (empty, "is empty"),
    (a_folder, "is a folder, not a file"),
    (a_playlist, "a playlist, which names other files"),
    (a_list_of_parts, "a playlist, which names other files"),
    (missing, "no such file"),
    (a_long_name, "name too long"),
    (beneath_a_file, "no such file"),
    (sound_only, "holds no video"),
    (mp4_without_its_end, "not a video"),
    (mp4_with_index_first, "cut off"),
    (mkv_without_its_end, "cut off"),
    (blank, "shows no face in any of its 3 pictures"),
    (blank_and_large, "shows no face in any of its 3 pictures"),
    (tiny, "48x62"),
]


@pytest.mark.parametrize(("make", "says"), BAD_VIDEOS)
def test_a_bad_video_is_refused_in_one_line(
    make: Make, says: str, short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = make(tmp_path, short_clip)
    for output in ("out.265", "out.mp4"):
        line = assert_refused(
            command, "encode", path, tmp_path / ("made-" + output), "--fallback", "never",
            folder=tmp_path, says="",
        )  # fmt: skip
        assert says.lower() in line.lower()
        assert str(path) in line


@pytest.mark.parametrize(
    ("output", "settings", "says"),
    [
        ("out.265", ["--key-qp", "52"], "QP is 52"),
        ("out.265", ["--model", "mona-lisa"], "'mona-lisa' (there are: face"),
        ("out.265", ["--base-encoder", "x266"], "'x266': choose from auto, ffmpeg-libx265"),
        ("out.265", ["--base-encoder", "ffmpeg-libvvenc"], "no hevc encoder is called"),
        ("out.265", ["--codec", "vvc"], "the suffix means hevc and --codec says vvc"),
        ("out.avi", [], "use one of .266"),
        ("out.jpg", [], "use one of .266"),
        ("out.265", ["--audio", "copy"], "--audio copy"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(
    output: str,
    settings: list[str],
    says: str,
    short_clip: Path,
    tmp_path: Path,
    command: CommandLine,
) -> None:
    assert_refused(
        command, "encode", short_clip, tmp_path / output, *settings, folder=tmp_path, says=says
    )


def test_a_picture_that_is_not_square_is_refused_without_a_crop(
    tmp_path: Path, command: CommandLine
) -> None:
    clip = blank_and_large(tmp_path, tmp_path)
    assert_refused(
        command, "encode", clip, tmp_path / "out.265", "--crop", "none", folder=tmp_path,
        says=["384x288", "--crop auto"],
    )  # fmt: skip


def test_a_face_that_coding_destroys_is_no_missing_face(
    short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    assert_refused(
        command, "encode", short_clip, tmp_path / "out.265", "--key-qp", "51", "--size", "64",
        "--fallback", "never", folder=tmp_path,
        says=["shows a face, but its coded key picture does not", "--key-qp"],
    )  # fmt: skip
