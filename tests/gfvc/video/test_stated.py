"""What a file states of its pictures, and where that is not what is read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from gfvc import EncodeOptions
from gfvc.encoder import look_at
from gfvc.video.stated import rate_note
from gfvc.video_reader import probe_video
from tests.gfvc.support import ffmpeg, no_notes

WHOLE = EncodeOptions(codec="hevc", view="whole")


def at_rate(clip: Path, path: Path, rate: str) -> Path:
    """The pictures of a clip, faster or slower."""
    ffmpeg("-i", clip, "-vf", f"setpts=N/({rate})/TB", "-r", rate, "-c:v", "libx264",
           "-preset", "ultrafast", path)  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("rate", "read", "says"),
    [
        ("1001000", 240, "has 1001000 pictures a second; 240 of them are read"),
        ("1000", 240, "has 1000 pictures a second; 240 of them are read"),
        ("1/2", 1, "has 0.5 pictures a second; they are repeated to make 1"),
    ],
)
def test_pictures_that_are_not_read_or_repeated_are_said(
    short_clip: Path, tmp_path: Path, rate: str, read: int, says: str
) -> None:
    clip = at_rate(short_clip, tmp_path / "clip.mp4", rate)
    video = probe_video(clip)
    assert video.rate == read
    assert video.rate_note == f"{clip}: {says}"
    notes: list[str] = []
    look_at(clip, tmp_path / "out.265", WHOLE, notes=notes.append)
    assert f"{clip}: {says}; --fps takes another rate" in notes
    asked = EncodeOptions(codec="hevc", view="whole", rate=Fraction(120))
    look_at(clip, tmp_path / "out.265", asked, notes=no_notes)


@pytest.mark.parametrize("rate", [240, 1, 25, Fraction(1000, 1001), Fraction(240003, 1000)])
def test_clocks_that_are_a_little_off_are_not_told(rate: Fraction | int) -> None:
    assert rate_note(Fraction(rate)) is None


def matroska(path: Path, times: list[int], stated: Fraction) -> Path:
    """Pictures at times in milliseconds; the file states a rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=stated, options={"strict": "unofficial"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times:
            frame = av.VideoFrame(64, 64, "yuvj420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("rate", [Fraction(240), Fraction(200), Fraction(144), Fraction(30)])
@pytest.mark.parametrize("stated", [None, Fraction(1000)])
def test_whole_milliseconds_are_no_other_rate(
    tmp_path: Path, rate: Fraction, stated: Fraction | None
) -> None:
    """Steps of 4, 4 and 5 ms are 240 pictures a second, and not 250; a gap changes nothing."""
    times = [round(1000 * number / rate) for number in range(300)]
    gap = [time if time < times[100] else time + 20_000 for time in times]
    for number, stamps in enumerate((times, gap)):
        video = probe_video(matroska(tmp_path / f"{number}.mkv", stamps, stated or rate))
        assert video.rate == pytest.approx(rate, rel=0.002)
        assert video.rate_note is None
        if stated is None:
            assert video.rate == rate
