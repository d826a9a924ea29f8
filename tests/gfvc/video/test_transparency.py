"""Transparent parts of pictures: dropped, and told where there are some."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.video.transparency import NOTE
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg, no_notes

RATE = Fraction(25)
CODINGS = [
    ("clip.mov", "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    ("clip.mov", "-c:v", "qtrle", "-pix_fmt", "argb"),
    ("clip.mov", "-c:v", "png", "-pix_fmt", "rgba"),
    ("clip.mov", "-c:v", "png", "-pix_fmt", "rgba64be"),
    ("clip.mov", "-c:v", "png", "-pix_fmt", "ya8"),
    ("clip.mkv", "-c:v", "ffv1", "-pix_fmt", "yuva420p"),
    ("clip.mkv", "-c:v", "ffv1", "-pix_fmt", "yuva422p"),
    ("clip.mkv", "-c:v", "ffv1", "-pix_fmt", "yuva444p10le"),
    ("clip.mkv", "-c:v", "ffv1", "-pix_fmt", "gbrap16le"),
]
OPAQUE = [
    ("clip.mkv", "-vf", "scale=100:100", "-c:v", "ffv1", "-pix_fmt", "yuva420p"),
    ("clip.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0"),
    ("clip.mov", "-c:v", "png", "-pix_fmt", "pal8"),
    ("clip.avi", "-c:v", "rawvideo", "-pix_fmt", "pal8"),
    ("clip.gif",),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three red pictures, wholly opaque."""
    picture = np.full((48, 64, 3), (200, 40, 30), np.uint8)
    return write_video(tmp_path_factory.mktemp("plain") / "plain.mkv", [picture] * 3, RATE)


def read(path: Path) -> tuple[list[Picture], list[str]]:
    notes: list[str] = []
    return list(read_pictures(path, RATE, notes=notes.append)), notes


@pytest.mark.parametrize("coding", CODINGS)
def test_transparent_parts_are_told_once(
    plain: Path, tmp_path: Path, coding: tuple[str, ...]
) -> None:
    """From the second picture on the left half is transparent; red is stored beneath it."""
    path = tmp_path / coding[0]
    ffmpeg("-i", plain, "-vf",
           "geq=r=200:g=40:b=30:a='if(lt(X,32)*gt(N,0),0,255)',format=gbrap", *coding[1:],
           path)  # fmt: skip
    pictures, notes = read(path)
    assert notes == [f"{path}: {NOTE}"]
    assert len(pictures) == 3
    for picture in pictures:
        left, right = picture[8:40, 4:28].mean(axis=(0, 1)), picture[8:40, 36:60].mean(axis=(0, 1))
        np.testing.assert_allclose(left, right, atol=4)
        assert right[0] > 60


@pytest.mark.parametrize("coding", CODINGS + OPAQUE)
def test_an_alpha_channel_that_is_opaque_is_not_told(
    plain: Path, tmp_path: Path, coding: tuple[str, ...]
) -> None:
    path = tmp_path / coding[0]
    ffmpeg("-i", plain, *coding[1:], path)
    assert len(list(read_pictures(path, RATE, notes=no_notes))) >= 3


def test_a_palette_may_have_transparent_colours(plain: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    ffmpeg("-i", plain, "-vf", "geq=r=200:g=40:b=30:a='if(lt(X,32),0,255)',format=gbrap,"
           "split[a][b];[a]palettegen[p];[b][p]paletteuse", "-c:v", "png", path)  # fmt: skip
    assert read(path)[1] == [f"{path}: {NOTE}"]


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_what_is_coded_apart_is_told(plain: Path, tmp_path: Path, codec: str) -> None:
    path = tmp_path / "clip.webm"
    ffmpeg("-i", plain, "-c:v", codec, "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", path)
    assert read(path)[1] == [f"{path}: {NOTE}"]
    ffmpeg("-i", plain, "-c:v", codec, "-pix_fmt", "yuv420p", path)
    assert read(path)[1] == []
