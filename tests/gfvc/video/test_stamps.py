"""Files whose time stamps are places in the order of coding, or that lack most of them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gfvc.video.frames import EntryLostError, decoded_frames
from gfvc.video_reader import probe_video, read_pictures
from tests.gfvc.support import ffmpeg, no_notes

PICTURES = 30
# The NAL unit of HEVC with its size, as in MP4.
END_OF_SEQUENCE = b"\0\0\0\2\x48\1"
H264 = ("-c:v", "libx264", "-crf", "18")
# Those without B pictures are here, too: nothing may change for them.
FILES = [
    ("clip.avi", (*H264, "-bf", "3")),
    ("clip.avi", (*H264, "-bf", "0")),
    ("clip.avi", (*H264, "-bf", "1", "-threads", "1")),
    ("clip.avi", ("-c:v", "libxvid", "-bf", "2", "-q:v", "3")),
    ("clip.avi", ("-c:v", "mpeg4", "-bf", "2", "-q:v", "3")),
    ("clip.avi", ("-c:v", "mpeg1video", "-bf", "0", "-q:v", "3")),
    ("clip.avi", ("-c:v", "mpeg1video", "-bf", "2", "-q:v", "3")),
    ("clip.avi", ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "10")),
    ("clip.m1v", ("-bf", "0", "-q:v", "3")),
    ("clip.m1v", ("-bf", "2", "-q:v", "3")),
    ("clip.wmv", (*H264, "-bf", "3")),
    ("clip.asf", ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3")),
    ("clip.mxf", (*H264, "-bf", "3")),
    ("clip.mxf", (*H264, "-bf", "1")),
    ("clip.mxf", (*H264, "-bf", "2", "-x264-params", "b-pyramid=none")),
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


@pytest.mark.parametrize("rate", ["24", "24000/1001", "30000/1001", "60000/1001"])
@pytest.mark.parametrize("name", ["clip.wmv", "clip.mkv"])
def test_stamps_in_milliseconds_are_of_the_rate_that_they_round(
    tmp_path: Path, name: str, rate: str
) -> None:
    """ASF states an average that is of whole milliseconds, too."""
    path = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:r={rate}:d=4", *H264, "-bf", "2",
           "-pix_fmt", "yuv420p", path)  # fmt: skip
    assert float(probe_video(path).rate) == pytest.approx(float(Fraction(rate)), rel=1e-4)


@pytest.mark.parametrize("rate", ["24", "24000/1001", "25"])
def test_of_two_packets_with_one_stamp_the_second_has_it(tmp_path: Path, rate: str) -> None:
    path = tmp_path / "clip.vob"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:r={rate}", *H264, "-bf", "0",
           "-frames:v", "36", "-pix_fmt", "yuv420p", path)  # fmt: skip
    assert float(probe_video(path).rate) == pytest.approx(float(Fraction(rate)), rel=1e-3)


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001"])
def test_one_step_in_milliseconds_says_no_more_than_the_file(tmp_path: Path, rate: str) -> None:
    path = tmp_path / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", f"testsrc=s=64x48:r={rate}:d=4", *H264, "-frames:v", "2",
           "-pix_fmt", "yuv420p", path)  # fmt: skip
    assert float(probe_video(path).rate) == pytest.approx(float(Fraction(rate)), rel=1e-4)


@pytest.mark.parametrize("rate", [8, 10])
def test_slow_pictures_are_not_taken_for_a_clock_that_goes_back(tmp_path: Path, rate: int) -> None:
    path = brightening(tmp_path / "clip.avi", (*H264, "-bf", "3"), rate)
    assert probe_video(path).rate == rate
    assert shown(path, []) == list(range(PICTURES))


MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3")


@pytest.mark.parametrize(
    ("name", "copied", "options"),
    [
        ("clip.avi", "copy.mp4", (*H264, "-bf", "3")),
        ("clip.mxf", "copy.ts", (*H264, "-bf", "1")),
        ("clip.mxf", "copy.flv", (*H264, "-bf", "1")),
        # The last picture of these is a tick of a fine clock behind the one before.
        ("clip.mp4", "copy.avi", (*H264, "-bf", "0")),
        ("clip.ts", "copy.avi", (*H264, "-bf", "3")),
        ("clip.mov", "copy.avi", (*MPEG2, "-bf", "2")),
    ],
)
def test_what_was_copied_is_read_in_order(
    tmp_path: Path, name: str, copied: str, options: Sequence[str]
) -> None:
    clip = brightening(tmp_path / name, options)
    ffmpeg("-i", clip, "-c", "copy", tmp_path / copied)
    assert shown(tmp_path / copied, []) == list(range(PICTURES))


@pytest.mark.parametrize("copied", ["copy.mp4", "copy.mov"])
def test_stamps_of_both_kinds_are_told_from_right_ones(tmp_path: Path, copied: str) -> None:
    """The copy leaves out the first pictures, and has stamps of presentation here and there."""
    clip = brightening(tmp_path / "clip.mpg", (*MPEG2, "-bf", "2"))
    ffmpeg("-i", clip, "-c", "copy", tmp_path / copied)
    first, *others = shown(tmp_path / copied, [])
    assert first < 4
    assert others == list(range(first + 1, PICTURES))


@pytest.mark.parametrize(
    ("copied", "offset"), [("copy.avi", "2.3"), ("copy.nut", "0")], ids=["late", "fields"]
)
def test_a_last_picture_that_is_said_to_be_short_is_read(
    tmp_path: Path, copied: str, offset: str
) -> None:
    """Of the period of a finer clock, or of fields."""
    clip = brightening(tmp_path / "clip.mpg", (*H264, "-bf", "0"))
    ffmpeg("-itsoffset", offset, "-i", clip, "-c", "copy", tmp_path / copied)
    assert shown(tmp_path / copied, []) == list(range(PICTURES))


def test_stamps_that_are_right_are_kept_where_packets_give_no_picture(tmp_path: Path) -> None:
    """Leading pictures of a CRA picture after an end of sequence are never shown."""
    clip = brightening(
        tmp_path / "clip.mp4",
        ("-c:v", "libx265", "-x265-params",
         "bframes=3:open-gop=1:keyint=10:min-keyint=10:scenecut=0:log-level=none"),
    )  # fmt: skip
    path = tmp_path / "cut.mp4"
    with av.open(str(clip)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for packet, following in zip(packets, [*packets[1:], None], strict=True):
            ends = following is not None and following.is_keyframe
            copy = av.Packet(bytes(packet) + END_OF_SEQUENCE * ends)
            copy.stream, copy.time_base = stream, packet.time_base
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.is_keyframe = packet.is_keyframe
            container.mux(copy)
    times = [timed.time for timed in decoded_frames(path, no_notes)]
    with av.open(str(path)) as container:
        stamps = [float(frame.time or 0) for frame in container.decode(video=0)]
    assert 10 < len(stamps) < PICTURES
    assert times == pytest.approx([stamp - stamps[0] for stamp in stamps])


SLIDES = [0, *range(10, 60, 10), 62, 63, 64, *range(70, 250, 10)]
PAIRS = [tick for second in range(4) for tick in (*range(1000 * second, 1000 * second + 1000, 40),
                                                  1000 * second + 963)]  # fmt: skip


@pytest.mark.parametrize(("clock", "ticks"), [(25, SLIDES), (1000, sorted(PAIRS))])
def test_pictures_of_avi_that_are_near_each_other_keep_their_times(
    tmp_path: Path, clock: int, ticks: list[int]
) -> None:
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=clock, options={"strict": "unofficial"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, clock)
        for tick in ticks:
            picture = av.VideoFrame(64, 64, "yuvj420p")
            picture.pts = tick
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    frames = list(decoded_frames(path, no_notes))
    assert [timed.time for timed in frames] == pytest.approx([tick / clock for tick in ticks])
    entries = [(number, one.entry) for number, one in enumerate(frames) if one.entry]
    assert entries
    for number, entry in entries[:: len(entries) // 5]:
        with (
            contextlib.suppress(EntryLostError),
            contextlib.closing(decoded_frames(path, no_notes, entry)) as entered,
        ):
            assert next(entered).time == frames[number].time


def test_times_are_those_of_packets_without_stamps_between(tmp_path: Path) -> None:
    path = brightening(tmp_path / "clip.vob", (*H264, "-bf", "0"))
    with av.open(str(path)) as container:
        stamps = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert None in stamps
    times = [timed.time for timed in decoded_frames(path, no_notes)]
    steps = np.diff(times)
    assert len(times) == PICTURES
    assert np.median(steps) == pytest.approx(0.04)
    assert steps.min() > 0
    assert steps.max() <= 0.081


@pytest.mark.parametrize("rate", ["15", "24000/1001", "30000/1001"])
@pytest.mark.parametrize(
    "coding",
    [("-c:v", "libx265", "-x265-params", "bframes=0:log-level=error"),
     ("-c:v", "libx264", "-bf", "0")],
)  # fmt: skip
def test_the_first_of_two_with_one_stamp_is_the_earlier_one(
    tmp_path: Path, coding: tuple[str, ...], rate: str
) -> None:
    """Of the packets of a program stream, the second may have a stamp and the first the same."""
    path = tmp_path / "clip.mpg"
    ffmpeg("-f", "lavfi", "-i", f"color=gray:s=96x32:r={rate}", "-frames:v", "80",
           *coding, path)  # fmt: skip
    times = [frame.time for frame in decoded_frames(path, no_notes)]
    period = float(1 / Fraction(rate))
    np.testing.assert_allclose(times, np.arange(80) * period, atol=period / 4)


def test_reading_starts_where_stamps_are_of_one_picture_alone(tmp_path: Path) -> None:
    """Two packets of a program stream may have one stamp."""
    path = tmp_path / "clip.mpg"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=8", "-c:v", "mpeg1video", "-g", "1", path)
    frames = list(decoded_frames(path, no_notes))
    entries = [(number, one.entry) for number, one in enumerate(frames) if one.entry]
    assert 10 < len(entries) < len(frames)
    for number, entry in entries:
        with contextlib.closing(decoded_frames(path, no_notes, entry)) as entered:
            assert next(entered).time == frames[number].time
