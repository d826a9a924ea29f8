from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc import InputError
from gfvc.video.clock import MAX_STILL_SECONDS, Clock
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import write_video
from tests.gfvc.support import ffmpeg

PERIOD = 0.04


SILENCE = float("-inf")


@dataclass(frozen=True)
class Ending:
    end: float


NONE = Ending(SILENCE)


def times(
    stamps: Sequence[float],
    seconds: float | None = None,
    sound_end: float = SILENCE,
    pictures_end: float = SILENCE,
) -> tuple[list[float], int]:
    clock = Clock(PERIOD, seconds, "clip", Ending(sound_end), Ending(pictures_end))
    return [round(clock.time(stamp), 6) for stamp in stamps], clock.gaps


def test_times_count_from_the_first() -> None:
    assert times([7.0, 7.04, 7.08, 7.5]) == ([0.0, 0.04, 0.08, 0.5], 0)


def test_a_still_of_some_seconds_is_believed() -> None:
    assert times([0, 0.04, MAX_STILL_SECONDS, MAX_STILL_SECONDS + 0.04])[1] == 0


def test_a_clock_that_jumps_goes_on_after_the_jump() -> None:
    assert times([0, 0.04, 1000.0, 1000.04, 1000.5]) == ([0, 0.04, 0.08, 0.12, 0.58], 1)


def test_a_still_with_sound_is_believed_however_long() -> None:
    assert times([7, 107, 107.04], sound_end=108) == ([0, 100, 100.04], 0)
    assert times([7, 107, 107.04], sound_end=90) == ([0, 100, 100.04], 0)
    assert times([7, 107, 107.04], sound_end=10) == ([0, 0.04, 0.08], 1)
    assert times([0, 0.04, 1e9, 0.12, 0.16], sound_end=90)[0] == [0, 0.04, 0.08, 0.12, 0.16]
    clock = Clock(PERIOD, None, "clip", Ending(108.0), NONE)
    clock.time(7.0)
    assert (clock.stays(100.0), clock.gaps) == (100.0, 0)
    assert (clock.stays(200.0), clock.gaps) == (PERIOD, 1)


def with_sound(clip: Path, seconds: float, times: str = "PTS") -> Path:
    """A clip with sound beside it."""
    path = clip.with_name("heard.mkv")
    tone = ("-f", "lavfi", "-i", f"sine=r=8000:duration={seconds}", "-af", f"asetpts='{times}'")
    ffmpeg("-i", clip, *tone, "-c:v", "copy", "-c:a", "pcm_s16le", path)
    return path


@pytest.mark.parametrize(("gap", "rate", "sound"), [(40, 5, 41), (40, 5, 20), (400, 25, 401)])
def test_sound_goes_on_while_a_picture_stands(
    tmp_path: Path, gap: int, rate: int, sound: int
) -> None:
    """The first picture after the gap is stamped 0.4 s after that."""
    clip = with_sound(clip_with_gap(tmp_path, f"N*40+gte(N,10)*{gap}000"), sound)
    notes: list[str] = []
    levels = [
        picture[0, 0, 0] for picture in read_pictures(clip, Fraction(rate), notes=notes.append)
    ]
    assert len(levels) == round((gap + 0.8) * rate)
    after = round((gap + 0.4) * rate)
    assert abs(int(levels[after - 1]) - 90) <= 2
    assert abs(int(levels[after]) - 100) <= 2
    assert notes == []


def test_sound_that_is_stamped_late_only_makes_no_pictures(tmp_path: Path) -> None:
    clip = clip_with_gap(tmp_path, "N*40+gte(N,10)*400000")
    clip = with_sound(clip, 1, "PTS+gte(T,0.5)*400/TB")
    with pytest.raises(InputError, match=r"time stamps make 10010 pictures of 11; that cannot be"):
        list(read_pictures(clip, Fraction(25)))


def test_one_wrong_stamp_moves_nothing_else() -> None:
    assert times([0, 0.04, 1e9, 0.12, 0.16]) == ([0, 0.04, 0.08, 0.12, 0.16], 1)


def test_each_of_several_wrong_stamps_is_left_out() -> None:
    stamps = [0, 1e6, 0.08, 2e6, 0.16, 3e6, 0.24]
    found, gaps = times(stamps)
    assert found == [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24]
    assert gaps == 3


def test_what_lies_past_the_stated_end_is_not_believed() -> None:
    assert times([0, 0.04, 20.0, 20.04], 2.0) == ([0, 0.04, 0.08, 0.12], 1)
    assert times([0, 0.04, 20.0, 20.04], 20.08) == ([0, 0.04, 20.0, 20.04], 0)


def test_what_lies_within_the_end_of_the_pictures_is_believed() -> None:
    assert times([5, 5.04, 25.0, 25.04], 2.0, pictures_end=25.08) == ([0, 0.04, 20.0, 20.04], 0)
    assert times([5, 5.04, 25.0, 25.04], 2.0, pictures_end=22.0) == ([0, 0.04, 0.08, 0.12], 1)
    assert times([5, 5.04, 45.0, 45.04], 2.0, pictures_end=45.08) == ([0, 0.04, 0.08, 0.12], 1)


def test_a_clock_that_starts_anew_is_refused() -> None:
    with pytest.raises(InputError, match=r"clip: its clock goes back from 2\.00 s to 0\.00 s"):
        times([0, 1.0, 2.0, 0.0])


def test_time_never_goes_on_for_longer_than_a_still() -> None:
    stamps = [0.0, *itertools.accumulate(range(0, 400, 7))]
    found, _ = times(stamps)
    steps = np.diff(found)
    assert steps.max() <= MAX_STILL_SECONDS
    assert (steps >= 0).all()


def clip_with_gap(folder: Path, times_of_pictures: str) -> Path:
    pictures = [np.full((64, 64, 3), 10 * number, np.uint8) for number in range(20)]
    plain = write_video(folder / "plain.mkv", pictures, Fraction(25))
    clip = folder / "clip.mp4"
    ffmpeg("-i", plain, "-vf", f"settb=1/1000,setpts='{times_of_pictures}'", "-fps_mode",
           "passthrough", "-enc_time_base", "1/1000", "-c:v", "libx264", "-qp", "0", "-bf", "0",
           "-pix_fmt", "yuv420p", clip)  # fmt: skip
    return clip


@pytest.mark.parametrize("times_of_pictures", ["N*40+gte(N,10)*5e6", "N*40+gte(N,19)*9e6"])
def test_a_file_with_a_gap_gives_no_more_pictures_than_it_holds(
    tmp_path: Path, times_of_pictures: str
) -> None:
    """The gap is in the duration of an MP4 file too, and in its average rate."""
    clip = clip_with_gap(tmp_path, times_of_pictures)
    video = probe_video(clip)
    assert video.rate == 25
    assert (video.seconds or 0) > 4000
    notes: list[str] = []
    assert len(list(read_pictures(clip, video.rate, notes=notes.append))) == 20
    assert len(notes) == 1
    assert "time stamps jump" in notes[0]


def test_a_last_picture_that_stays_for_hours_is_shown_once(tmp_path: Path) -> None:
    from gfvc.video.frames import decoded_frames

    clip = clip_with_gap(tmp_path, "N*40")
    stays = [frame.stays for frame in decoded_frames(clip, lambda _: None)]
    assert max(stays) <= 0.05
    clock = Clock(PERIOD, None, "clip", NONE, NONE)
    assert clock.stays(1e6) == PERIOD
    assert clock.gaps == 1


def test_pictures_that_stand_for_thousands_each_are_refused(tmp_path: Path) -> None:
    """Twenty pictures, each 29 s after the one before."""
    clip = clip_with_gap(tmp_path, "N*29000")
    assert probe_video(clip).rate == 1
    assert len(list(read_pictures(clip, Fraction(1)))) >= 19 * 29
    with pytest.raises(InputError, match=r"pictures of 1\d; that cannot be meant"):
        for _ in read_pictures(clip, Fraction(240)):
            pass


def reordered(path: Path, last_times: str) -> Path:
    """Fifty pictures at 25 a second; where they are predicted from later ones, MP4 states 2 s."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=2", "-vf", f"setpts='{last_times}'",
           "-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "3", path)  # fmt: skip
    assert (probe_video(path).seconds or 0) < 2.5
    return path


@pytest.mark.parametrize("movie", [(), ("-movflags", "frag_keyframe+empty_moov")])
@pytest.mark.parametrize(
    ("last_times", "count"),
    [
        # One 3 s after the others, and two, 1.8 s each after the one before.
        ("PTS+eq(N,49)*3/TB", 49 + 75 + 1),
        ("PTS+clip(N-47,0,2)*1.8/TB", 48 + 2 * 45 + 2),
    ],
)
def test_last_pictures_that_are_rare_are_shown_when_they_come(
    tmp_path: Path, last_times: str, count: int, movie: tuple[str, ...]
) -> None:
    """The duration goes by the times of decoding, which are those of earlier pictures."""
    clip = tmp_path / "clip.mp4"
    ffmpeg("-i", reordered(tmp_path / "plain.mp4", last_times), "-c", "copy", *movie, clip)
    notes: list[str] = []
    assert len(list(read_pictures(clip, Fraction(25), notes=notes.append))) == count
    assert notes == []


def test_one_wrong_stamp_among_reordered_pictures_is_no_end(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    # An edit list would leave the picture out.
    ffmpeg("-i", reordered(tmp_path / "plain.mp4", "PTS"), "-c", "copy", "-use_editlist", "0", clip)
    data = bytearray(clip.read_bytes())
    place = data.index(b"ctts") + 12 + 8 * 12  # of a picture, by how much it is shown later
    wrong = int.from_bytes(data[place + 4 : place + 8], "big") + 20 * 12800
    data[place + 4 : place + 8] = wrong.to_bytes(4, "big")
    assert int.from_bytes(data[place : place + 4], "big") == 1
    clip.write_bytes(data)
    notes: list[str] = []
    assert len(list(read_pictures(clip, Fraction(25), notes=notes.append))) == 50
    assert len(notes) == 1
    assert "time stamps jump" in notes[0]


@pytest.mark.parametrize("after", [3, 4, 5])
def test_the_last_picture_is_not_shown_as_long_as_a_still_before(
    tmp_path: Path, after: int
) -> None:
    """It is decoded right after the still, before those that are predicted from it."""
    clip = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=64x64:r=25:d={(48 + after) / 25}", "-vf",
           "setpts='PTS+gte(N,48)*12/TB'", "-fps_mode", "passthrough", "-c:v", "libx264",
           "-bf", "3", "-x264opts", "b-adapt=0", clip)  # fmt: skip
    notes: list[str] = []
    count = len(list(read_pictures(clip, Fraction(25), notes=notes.append)))
    assert count == pytest.approx(48 + 12 * 25 + after, abs=1)
    assert notes == []


@pytest.mark.parametrize("rate", [30, 25])
def test_pictures_that_come_halfway_between_times_are_shown_once_each(
    tmp_path: Path, rate: int
) -> None:
    """As after a gap: stamps are of whole milliseconds, now a little early and now late."""
    clip = tmp_path / "clip.mkv"
    count = 50
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "gray"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64), number, np.uint8), format="gray")
            frame.pts = round(1000 * (number + 2.5 * (number >= 10)) / rate)
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    shown = [int(picture[0, 0, 0]) for picture in read_pictures(clip, Fraction(rate))]
    still = shown.count(9)
    assert still == pytest.approx(3.5, abs=0.5)
    assert shown == [*range(9), *[9] * still, *range(10, count)]
