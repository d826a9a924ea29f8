"""Sound that is coded anew stays in step with its time stamps, whatever these do."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.video.sound import SoundTrack
from gfvc.video.sound_in_step import frames_in_step
from gfvc.video.sound_parts import JoinedPart
from tests.gfvc.support import ffmpeg

RATE = 48000
FRAME = 1024
A_FRAME = FRAME / RATE


def frames(stamps: Sequence[float], form: str, layout: str) -> Iterator[av.AudioFrame]:
    """Frames with these stamps in seconds, whose samples are the numbers of all before them."""
    channels = len(av.AudioLayout(layout).channels)
    for number, stamp in enumerate(stamps):
        numbers = np.arange(number * FRAME, (number + 1) * FRAME)
        if form == "fltp":
            planes = np.repeat(numbers[None], channels, 0).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(planes, form, layout)
        else:
            packed = np.repeat(numbers, channels)[None].astype(np.int32)
            frame = av.AudioFrame.from_ndarray(packed, form, layout)
        frame.rate, frame.time_base, frame.pts = RATE, Fraction(1, 90000), round(stamp * 90000)
        yield frame


def heard(
    stamps: Sequence[float],
    parts: Sequence[JoinedPart] = (),
    form: str = "fltp",
    layout: str = "mono",
) -> list[tuple[float, int]]:
    """Of each frame that comes out when it begins, in seconds, and its first sample."""
    found = []
    end = 0
    # Within a half of a frame of AAC at the highest rate.
    rounded = 256
    for frame in frames_in_step(frames(stamps, form, layout), Fraction(0), parts):
        values = frame.to_ndarray().reshape(-1)
        assert frame.time_base == Fraction(1, RATE)
        assert frame.pts is not None
        assert frame.pts >= end - rounded, "MP4 holds no times that go back"
        end = frame.pts + frame.samples
        found.append((frame.pts / RATE, int(values[0])))
    return found


def late(found: list[tuple[float, int]], stamps: Sequence[float]) -> list[float]:
    """By how much each frame comes after the stamp of its first sample."""
    return [time - (stamps[first // FRAME] + first % FRAME / RATE) for time, first in found]


@pytest.mark.parametrize(("form", "layout"), [("fltp", "mono"), ("s32", "stereo"), ("s32", "5.1")])
@pytest.mark.parametrize("back", [0.015, 0.03, 0.1, 0.2])
def test_what_overlaps_is_left_out(back: float, form: str, layout: str) -> None:
    stamps = [number * A_FRAME - number // 48 * back for number in range(144)]
    found = heard(stamps, (), form, layout)
    assert late(found, stamps) == pytest.approx([0] * len(found), abs=0.0001)
    assert found[-1][0] + A_FRAME == pytest.approx(144 * A_FRAME - 2 * back, abs=0.0001)


TREMBLING = {
    "milliseconds": [round(number * A_FRAME, 3) for number in range(96)],
    "three at a time": [number // 3 * 3 * A_FRAME for number in range(97)],
    "noise": [
        number * A_FRAME + float(noise)
        for number, noise in enumerate(np.random.default_rng(1).uniform(0, 0.02, 96))
    ],
    # The sound is at half of the rate that its stamps were made for.
    "twice as fast": [number * A_FRAME / 2 for number in range(96)],
}


@pytest.mark.parametrize("stamps", TREMBLING.values(), ids=TREMBLING.keys())
def test_stamps_that_tremble_lose_nothing(stamps: list[float]) -> None:
    found = heard(stamps)
    assert [first for _, first in found] == [number * FRAME for number in range(len(stamps))]


def test_what_is_late_once_is_in_step_again() -> None:
    """A lone frame comes late, and makes a gap before it."""
    stamps = [number * A_FRAME + 0.05 * (number == 20) for number in range(96)]
    found = heard(stamps)
    assert late(found, stamps)[-1] == pytest.approx(0, abs=0.0001)


@pytest.mark.parametrize(
    ("parts", "second"),
    [
        # It begins where the first part ends, or where the pictures of its part do.
        ([], 48 * A_FRAME),
        ([JoinedPart(Fraction(1), Fraction(1))], 1.0),
        ([JoinedPart(Fraction(2), Fraction(2))], 2.0),
    ],
)
def test_a_clock_that_goes_back_is_another_part(parts: list[JoinedPart], second: float) -> None:
    stamps = [number % 48 * A_FRAME for number in range(96)]
    found = heard(stamps, parts)
    ends = max(48 * A_FRAME, second)
    assert found[-1][0] == pytest.approx(second + 47 * A_FRAME, abs=0.0001)
    behind = next(time for time, first in found if first >= 48 * FRAME)
    assert behind == pytest.approx(ends, abs=0.006)


def test_segments_that_were_encoded_one_by_one(tmp_path: Path) -> None:
    """As of HLS: each has what its encoder puts before and after it."""
    path, part = tmp_path / "joined.ts", tmp_path / "part.ts"
    joined = b""
    for number in range(4):
        at = str(number * 0.5)
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.5", "-f", "lavfi", "-i",
               "sine=d=0.5:r=48000", "-c:v", "mpeg2video", "-c:a", "aac", "-muxdelay", "0",
               "-muxpreload", "0", "-output_ts_offset", at, part)  # fmt: skip
        joined += part.read_bytes()
    path.write_bytes(joined)
    with (
        open_media(path, VIDEO_FORMATS) as source,
        av.open(io.BytesIO(), "w", format="mp4") as output,
    ):
        packets = list(SoundTrack(path, source, output, "aac").packets())
        last = packets[-1]
        ends = float((last.pts + last.duration) * last.time_base)
    with open_media(path, VIDEO_FORMATS) as source:
        stamped = [float((p.pts or 0) * p.time_base) for p in source.demux(audio=0) if p.size]
    with open_media(path, VIDEO_FORMATS) as source:
        begins = next(source.decode(video=0)).time
    assert begins is not None
    # All four were 0.13 s too long.
    assert ends == pytest.approx(stamped[-1] - begins, abs=0.03)
