"""VMAF by ffmpeg: the command, the scores, and what goes wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters.errors import (
    OutputInvalidError,
    ProgramFailedError,
    ProgramNotFoundError,
)
from base_codec_adapters.ffmpeg import find_ffmpeg
from base_codec_adapters.video_quality import RawVideo, find_vmaf, measure_vmaf, vmaf_command

RATE = Fraction(30000, 1001)


def raw_video(path: Path, noise: int, pictures: int = 3) -> RawVideo:
    """A picture of texture, repeated, with noise of a strength."""
    texture = np.random.default_rng(0).integers(60, 180, (64, 96))
    texture = np.kron(texture[::4, ::4], np.ones((4, 4), int))
    random = np.random.default_rng(1)
    with path.open("wb") as file:
        for _ in range(pictures):
            luma = texture + random.integers(-noise, noise + 1, texture.shape)
            file.write(luma.astype(np.uint8).tobytes())
            file.write(bytes([128]) * (2 * 32 * 48))
    return RawVideo(path, 96, 64, RATE)


@pytest.mark.program
@pytest.mark.parametrize("folder", ["plain", "it's: [odd], a;b\\c"])
def test_worse_pictures_score_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    place = tmp_path / folder
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    source = raw_video(place / "source.yuv", 0)
    same = measure_vmaf(source, source)
    worse = measure_vmaf(source, raw_video(place / "decoded.yuv", 25))
    assert len(same) == len(worse) == 3
    assert min(same) > max(worse) + 10
    assert 0 <= min(worse) <= max(same) <= 100


def test_the_distorted_video_comes_first(tmp_path: Path) -> None:
    first, second = (RawVideo(tmp_path / name, 16, 8, RATE) for name in ("a.yuv", "b.yuv"))
    command = vmaf_command(first, second, tmp_path / "log.json", Path("ffmpeg"))
    inputs = [command[at + 1] for at, word in enumerate(command) if word == "-i"]
    assert inputs == [str(tmp_path / "b.yuv"), str(tmp_path / "a.yuv")]
    assert command.count("30000/1001") == 2
    assert command.count("16x8") == 2


def fake_ffmpeg(tmp_path: Path, script: str) -> Path:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.mark.program
def test_an_ffmpeg_with_libvmaf_is_found() -> None:
    assert find_vmaf() == find_ffmpeg()


def test_an_ffmpeg_that_lacks_libvmaf_is_named(tmp_path: Path) -> None:
    lacking = fake_ffmpeg(tmp_path, "echo \"Unknown filter 'libvmaf'.\"")
    with pytest.raises(ProgramNotFoundError, match="ffmpeg has no libvmaf: name an ffmpeg that"):
        find_vmaf(lacking)


def test_no_log_and_no_libvmaf_are_errors(tmp_path: Path) -> None:
    video = raw_video(tmp_path / "a.yuv", 0)
    with pytest.raises(OutputInvalidError, match="log cannot be read"):
        measure_vmaf(video, video, executable=fake_ffmpeg(tmp_path, "exit 0"))
    with pytest.raises(ProgramFailedError, match="No such filter"):
        measure_vmaf(
            video, video, executable=fake_ffmpeg(tmp_path, "echo No such filter: libvmaf; exit 8")
        )
