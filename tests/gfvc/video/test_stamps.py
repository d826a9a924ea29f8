"""Files whose time stamps are places in the order of coding, or that lack most of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc.video.frames import decoded_frames
from gfvc.video_reader import probe_video, read_pictures
from tests.gfvc.support import ffmpeg, no_notes

PICTURES = 30
H264 = ("-c:v", "libx264", "-crf", "18")
# Those without B pictures are here, too: nothing may change for them.
FILES = [
    ("clip.avi", (*H264, "-bf", "3")),
    ("clip.avi", (*H264, "-bf", "0")),
    ("clip.avi", (*H264, "-bf", "1", "-threads", "1")),
    ("clip.avi", ("-c:v", "libxvid", "-bf", "2", "-q:v", "3")),
    ("clip.avi", ("-c:v", "mpeg4", "-bf", "2", "-q:v", "3")),
    ("clip.wmv", (*H264, "-bf", "3")),
    ("clip.asf", ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3")),
    ("clip.mxf", (*H264, "-bf", "3")),
    ("clip.mp4", (*H264, "-bf", "3")),
    ("clip.ts", (*H264, "-bf", "3")),
    ("clip.vob", (*H264, "-bf", "3")),
    ("clip.vob", ("-c:v", "libx265", "-crf", "18", "-x265-params", "log-level=none")),
    ("clip.vob", ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3")),
]


def brightening(path: Path, options: Sequence[str], rate: int = 25) -> Path:
    """Grey pictures, each eight levels brighter than the one before."""
    ffmpeg(
        "-f", "lavfi", "-i", f"color=c=black:s=128x96:r={rate}:d={PICTURES / rate}",
        "-vf", "format=gray,geq=lum='8+8*N',format=yuv420p", *options, path,
    )  # fmt: skip
    return path


def shown(path: Path, notes: list[str]) -> list[int]:
    """Which picture of the source each one that is read shows."""
    video = probe_video(path)
    pictures = read_pictures(path, video.rate, notes=notes.append)
    return [round((float(np.median(picture)) - 8) / 8) for picture in pictures]


@pytest.mark.parametrize(("name", "options"), FILES)
def test_each_picture_is_read_once_and_in_order(
    tmp_path: Path, name: str, options: Sequence[str]
) -> None:
    path = brightening(tmp_path / name, options)
    notes: list[str] = []
    assert probe_video(path).rate == 25
    read = shown(path, notes)
    assert notes == []
    # Packed pictures of Xvid leave out some at the end, for ffmpeg as well.
    assert read == list(range(len(read)))
    assert len(read) >= PICTURES - (2 if "libxvid" in options else 0)


@pytest.mark.parametrize("rate", [8, 10])
def test_slow_pictures_are_not_taken_for_a_clock_that_goes_back(tmp_path: Path, rate: int) -> None:
    path = brightening(tmp_path / "clip.avi", (*H264, "-bf", "3"), rate)
    assert probe_video(path).rate == rate
    assert shown(path, []) == list(range(PICTURES))


def test_what_was_copied_with_its_stamps_is_read_in_order(tmp_path: Path) -> None:
    clip = brightening(tmp_path / "clip.avi", (*H264, "-bf", "3"))
    copy = tmp_path / "copy.mp4"
    ffmpeg("-i", clip, "-c", "copy", copy)
    assert shown(copy, []) == list(range(PICTURES))


def test_times_are_those_of_packets_without_stamps_between(tmp_path: Path) -> None:
    path = brightening(tmp_path / "clip.vob", (*H264, "-bf", "0"))
    with av.open(str(path)) as container:
        stamps = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert None in stamps
    times = [timed.time for timed in decoded_frames(path, no_notes)]
    steps = np.diff(times)
    assert len(times) == PICTURES
    assert np.median(steps) == pytest.approx(0.04)
    assert steps.max() <= 0.081
