"""What a file states of its pictures, and where that is not what is read."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import pytest

from gfvc import EncodeOptions
from gfvc.encoder import look_at
from gfvc.video.stated import StatedRate
from gfvc.video_reader import probe_video, read_pictures
from tests.gfvc.support import ffmpeg, no_notes, set_edits

WHOLE = EncodeOptions(codec="hevc", view="whole")


def at_rate(clip: Path, path: Path, rate: str) -> Path:
    """The pictures of a clip, faster or slower."""
    # The last picture would be repeated for as long as it was shown before.
    ffmpeg("-i", clip, "-vf", f"setpts=N/({rate})/TB", "-r", rate, "-frames:v", "50",
           "-c:v", "libx264", "-preset", "ultrafast", path)  # fmt: skip
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
    assert StatedRate(Fraction(rate)).note is None


def matroska(
    path: Path, times: list[int], stated: Fraction, *, says_progressive: bool = False
) -> Path:
    """Pictures at times in milliseconds; the file states a rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=stated, options={"strict": "unofficial"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.field_order = int(says_progressive)
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


def evenly(*parts: tuple[float, float, int]) -> list[int]:
    """Times in milliseconds: from a second on, at a rate, so many pictures."""
    return [
        round(1000 * (start + number / rate))
        for start, rate, count in parts
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("times", "stated", "read"),
    [
        (evenly((0, 30, 31), (3, 30, 30)), Fraction(61, 4), 30),
        (evenly((0, 30, 30), (1, 120, 120)), Fraction(75), 120),
        (evenly((0, 30, 300), (10, 2, 40), (30, 30, 600)), Fraction(94, 5), 30),  # a long one
        # What is stated need not be the average: here that is 11.2.
        (evenly((0, 25, 10), (0.46, 10, 40)), Fraction(25), 10),
    ],
)
def test_variable_rates_are_read_as_suits_their_pictures(
    tmp_path: Path, times: list[int], stated: Fraction, read: int
) -> None:
    """At the average, parts between gaps would lose half of their pictures."""
    clip = matroska(tmp_path / "clip.mkv", times, stated)
    video = probe_video(clip)
    assert video.rate == read
    assert video.rate_note is not None
    assert video.rate_note == (
        f"{clip}: is of variable rate: states {float(stated):.4g} pictures a second, and is read "
        f"at {read}, which suits them better"
    )
    asked = EncodeOptions(codec="hevc", view="whole", rate=Fraction(25))
    look_at(clip, tmp_path / "out.265", asked, notes=no_notes)


@pytest.mark.parametrize(
    ("times", "stated", "read"),
    [
        # As phones film in little light.
        (evenly((0, 30, 84), (2.8, 24, 36)), Fraction(2796, 100), 30),
        (evenly((0, 30, 84), (2.8, 20, 36)), Fraction(30), 30),
        (evenly((0, 60, 140), (14 / 6, 40, 60)), Fraction(5206, 100), 60),
        (evenly((0, 30, 540), (18, 24, 60)), Fraction(2927, 100), 30),  # a long one
    ],
)
def test_rates_that_are_near_are_not_mixed(
    tmp_path: Path, times: list[int], stated: Fraction, read: int
) -> None:
    """At their mean, pictures of the higher one would be lost."""
    assert probe_video(matroska(tmp_path / "clip.mkv", times, stated)).rate == read


@pytest.mark.parametrize("seed", range(4))
def test_pictures_that_are_lost_and_tremble_do_not_lower_the_rate(
    tmp_path: Path, seed: int
) -> None:
    """As those of a webcam."""
    chance = random.Random(seed)
    times = [round(1000 * n / 30 + chance.uniform(0, 24)) for n in range(120)]
    kept = [time for n, time in enumerate(times) if n in (0, 119) or chance.random() > 0.1]
    assert probe_video(matroska(tmp_path / "clip.mkv", sorted(kept), Fraction(30))).rate == 30


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
@pytest.mark.parametrize("left_out", ["eq(mod(n,7),3)", "gt(mod(pow(n,2),11),8)"])
def test_a_clock_of_whole_pictures_hides_no_lost_ones(
    tmp_path: Path, suffix: str, left_out: str
) -> None:
    """Two ticks of such a clock are two pictures, and not one that is rounded."""
    path = tmp_path / f"clip.{suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=4", "-vf", f"select='not({left_out})'",
           "-fps_mode", "passthrough", "-c:v", "mpeg4", "-video_track_timescale", "25",
           path)  # fmt: skip
    assert probe_video(path).rate == 25


@pytest.mark.parametrize("rate", [25, 30, 50, 60])
def test_a_clock_of_hundredths_says_the_rate(tmp_path: Path, rate: int) -> None:
    """That of GIF, in which steps of one and of two ticks make 60 a second."""
    path = tmp_path / "clip.gif"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=64x64:r={rate}:d=1.5", path)
    assert probe_video(path).rate == pytest.approx(rate, rel=0.01)


def test_pictures_that_are_missing_here_and_there_leave_the_stated_rate(tmp_path: Path) -> None:
    """Though no step from picture to picture is that of most."""
    path = tmp_path / "clip.avi"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=4", "-vf",
           "select='eq(mod(n,8),0)+eq(mod(n,8),1)+eq(mod(n,8),3)+eq(mod(n,8),6)'",
           "-fps_mode", "passthrough", "-c:v", "mpeg4", path)  # fmt: skip
    video = probe_video(path)
    assert video.rate == 25
    assert video.rate_note is None


def trembling(seed: int) -> list[int]:
    """Times in milliseconds of 25 pictures a second, up to 16 ms early or late."""
    chance = random.Random(seed)
    return [40 * number + round(chance.uniform(0, 32)) for number in range(120)]


@pytest.mark.parametrize(
    ("times", "stated"),
    [
        *((trembling(seed), 25) for seed in range(4)),
        # Stamps that tremble, a lost picture and film on a screen of 60.
        ([40 * number + (number * 7) % 11 for number in range(90)], 25),
        ([time for time in evenly((0, 25, 60)) if time != 800], 25),
        ([round(50 * number / 3) for number in range(120) if number % 5 in (0, 2)], 24),
        # Two fields a picture, each in a packet of its own.
        (evenly((0, 50, 100)), 25),
    ],
)
def test_jitter_is_no_variable_rate(tmp_path: Path, times: list[int], stated: int) -> None:
    video = probe_video(matroska(tmp_path / "clip.mkv", times, Fraction(stated)))
    assert video.rate == stated
    assert video.rate_note is None


@pytest.mark.parametrize("stated", [15, 25, 30, 60])
@pytest.mark.parametrize(("rate", "late"), [(60, 0), (60, 6), (30, 16), (24, 12), (15, 24)])
def test_what_keeps_to_even_times_is_read_at_its_mean_rate(
    tmp_path: Path, rate: int, late: int, stated: int
) -> None:
    """Also at twice the rate that is stated, where pictures are no fields."""
    chance = random.Random(rate)
    times = [round(1000 * number / rate) + chance.randint(0, late) for number in range(150)]
    clip = matroska(tmp_path / "clip.mkv", times, Fraction(stated), says_progressive=True)
    video = probe_video(clip)
    assert video.rate == pytest.approx(rate, rel=0.003)
    assert len(list(read_pictures(clip, video.rate))) == pytest.approx(150, abs=4)
    is_near = abs(rate - stated) <= 0.05 * stated
    assert (video.rate_note is None) == is_near


def test_the_usual_rate_of_a_long_file_is_that_of_all_its_parts(tmp_path: Path) -> None:
    """Not that of its start."""
    times = evenly((0, 10, 510), (51, 25, 1500))
    assert probe_video(matroska(tmp_path / "clip.mkv", times, Fraction(2010, 111))).rate == 25

    gaps = evenly(*((15 * number, 30, 300) for number in range(20)))
    rate = probe_video(matroska(tmp_path / "gaps.mkv", gaps, Fraction(20))).rate
    assert rate == pytest.approx(30, rel=0.002)  # whole milliseconds, of few steps


@pytest.mark.parametrize(("stated", "lost"), [(Fraction(625, 24), 0), (Fraction(24), 1)])
def test_equal_steps_say_the_rate_better_than_the_average(
    tmp_path: Path, stated: Fraction, lost: int
) -> None:
    """As where parts were put together, one of which ends with a picture of no length."""
    times = [time for time in evenly((0, 25, 50)) if time != 800 * lost]
    video = probe_video(matroska(tmp_path / "clip.mkv", times, stated))
    assert video.rate == 25
    assert video.rate_note is None


def test_one_short_step_is_not_usual(tmp_path: Path) -> None:
    assert probe_video(matroska(tmp_path / "clip.mkv", [0, 1, 3000], Fraction(1))).rate == 1


def test_what_an_edit_list_hides_between_parts_says_nothing_of_the_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=4", "-c:v", "libx264", "-g", "25",
           "-video_track_timescale", "12800", path)  # fmt: skip
    # As where the first part ends amid a picture.
    set_edits(path, [(1500, 1024, 1), (1500, 1024 + 2 * 12800 - 512, 1)])
    with av.open(str(path)) as container:
        hidden = sum(packet.is_discard for packet in container.demux(video=0))
    assert hidden > 25
    video = probe_video(path)
    assert video.rate == 25
    assert video.rate_note is None
