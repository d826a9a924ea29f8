from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.video.described import described
from tests.conftest import REPOSITORY
from tests.gfvc.support import ffmpeg

# All is said to the log, so that each thread of a decoder would wait for Python's lock: for ever
# where it is freed by who has that lock. Such threads are counted, too.
_READS = """
import sys
from fractions import Fraction
from pathlib import Path
from av import logging
from gfvc import InputError
from gfvc.video_reader import read_pictures

logging.set_level(logging.INFO)
logging.set_skip_repeated(False)
with logging.Capture(local=False) as of_other_threads, logging.Capture() as of_this_one:
    for name in sys.argv[1:]:
        try:
            for picture in read_pictures(Path(name), Fraction(25)):
                pass
        except InputError:
            pass
    print(len(of_other_threads), len(of_this_one))
"""


def damaged(whole: Path, seed: int, count: int, length: int = 1) -> Path:
    """A copy in which so many runs of bytes are others."""
    random = np.random.default_rng(seed)
    data = bytearray(whole.read_bytes())
    for place in random.integers(len(data) // 8, len(data) - length, count):
        data[place : place + length] = random.bytes(length)
    path = whole.with_stem(f"{whole.stem}{seed}")
    path.write_bytes(data)
    return path


def test_reading_what_is_damaged_needs_no_other_threads(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=0.4",
           "-g", "5", "-movflags", "frag_keyframe+empty_moov+default_base_moof", whole)  # fmt: skip
    paths = [damaged(whole, seed, 40) for seed in range(20)]
    done = subprocess.run(
        [sys.executable, "-c", _READS, *map(str, paths)],
        cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    of_other_threads, of_this_one = map(int, done.stdout.split())
    assert not of_other_threads
    assert of_this_one > 100
    assert not done.stderr


def test_what_is_damaged_gives_the_same_pictures_each_time(tmp_path: Path) -> None:
    """By threads of its own a decoder gives others every few times."""
    whole = tmp_path / "whole.mkv"
    ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=320x180:r=30", "-t", "1", "-pix_fmt", "yuv420p",
           "-c:v", "mpeg2video", "-b:v", "400k", whole)  # fmt: skip

    def pictures(path: Path) -> list[bytes]:
        found = []
        with open_media(path, VIDEO_FORMATS) as container:
            assert container.streams.video[0].codec_context.thread_count == 1
            for packet in container.demux(container.streams.video[0]):
                with contextlib.suppress(av.FFmpegError):
                    found += [frame.to_ndarray().tobytes() for frame in packet.decode()]
        return found

    for seed in range(3):
        path = damaged(whole, seed, 25, length=15)
        first = pictures(path)
        assert len(first) > 20
        assert all(pictures(path) == first for _ in range(7))


def test_what_the_library_logs_stays_off_or_as_a_caller_has_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2", path)
    with open_media(path, VIDEO_FORMATS) as container:
        stream = container.streams.video[0]
        try:
            for _ in range(2):
                assert ": Video: h264 " in described(container, stream)
                # PyAV compares levels with this where a thread began to log before.
                assert isinstance(av.logging.get_level(), int)
                av.logging.log(av.logging.FATAL, "codec", "words")
            av.logging.set_level(av.logging.WARNING)
            assert ": Video: h264 " in described(container, stream)
            assert av.logging.get_level() == av.logging.WARNING
            with av.logging.Capture() as said:
                av.logging.log(av.logging.WARNING, "codec", "words")
            assert said == [(av.logging.WARNING, "codec", "words")]
        finally:
            av.logging.set_level(None)
    assert capfd.readouterr() == ("", "")
