"""Raw streams: their rate is what their headers say, and every picture is read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions
from gfvc.bench.source_video import prepare_reference
from gfvc.encoder import look_at
from gfvc.options.encoding import SourceOptions
from gfvc.rectangle import Rectangle
from gfvc.scaling import read_scaled
from gfvc.video.frames import decoded_frames
from gfvc.video.raw import Raw
from gfvc.video_reader import probe_video, read_pictures
from models.contract import Picture
from tests.gfvc.support import ffmpeg, no_notes

PICTURES = 30
WHOLE = EncodeOptions(codec="hevc", view="whole")
H264 = ("-c:v", "libx264", "-crf", "18")
H265 = ("-c:v", "libx265", "-crf", "18", "-x265-params")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", "8")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-f", "m4v")
H263 = ("-c:v", "h263", "-q:v", "3")
NTSC = "30000/1001"


def brightening(path: Path, options: Sequence[str], rate: str) -> Path:
    """Grey pictures, each seven levels brighter than the one before."""
    ffmpeg(
        "-f", "lavfi", "-i", f"color=c=black:s=128x96:r={rate}",
        "-vf", f"trim=end_frame={PICTURES},format=gray,geq=lum='8+7*N',format=yuv420p",
        *options, path,
    )  # fmt: skip
    return path


def shown(path: Path) -> list[int]:
    """Which picture of the source each one that is read shows."""
    return levels(read_pictures(path, probe_video(path).rate))


def levels(pictures: Iterable[Picture]) -> list[int]:
    return [round((float(np.median(picture)) - 8) / 7) for picture in pictures]


@pytest.mark.parametrize(
    ("name", "options", "rate"),
    [
        *(("clip.264", (*H264, "-bf", "3"), rate) for rate in ("15", "24", NTSC, "50", "60")),
        ("clip.264", (*H264, "-bf", "0"), "60"),
        ("clip.264", (*H264, "-x264-params", "interlaced=1:pic-struct=1"), "30"),
        ("clip.265", (*H265, "bframes=3:log-level=none"), "60"),
        ("clip.265", (*H265, "bframes=0:log-level=none"), NTSC),
        ("clip.266", ("-c:v", "libvvenc", "-preset", "faster", "-qp", "20"), "50"),
        ("clip.m2v", (*MPEG2, "-bf", "2"), "30"),
        ("clip.m2v", (*MPEG2, "-flags", "+ilme+ildct"), NTSC),
        ("clip.m4v", MPEG4, "30"),
        ("clip.m4v", (*MPEG4, "-bf", "2"), NTSC),
        ("clip.m4v", MPEG4, "25/2"),
        ("clip.h263", H263, NTSC),
        ("clip.h263", H263, "15000/1001"),
    ],
)
def test_the_rate_is_the_stated_one_and_each_picture_is_read_once(
    tmp_path: Path, name: str, options: Sequence[str], rate: str
) -> None:
    size = ("-s", "176x144") if "h263" in name else ()
    path = brightening(tmp_path / name, (*size, *options), rate)
    video = probe_video(path)
    assert video.rate == Fraction(rate)
    assert video.rate_note is None
    assert shown(path) == list(range(PICTURES))


def test_the_rate_of_av1_is_the_stated_one(tmp_path: Path) -> None:
    path = tmp_path / "clip.obu"
    plain = brightening(tmp_path / "clip.mp4", AV1, "60")
    ticks = "av1_metadata=tick_rate=60:num_ticks_per_picture=1"
    ffmpeg("-i", plain, "-c", "copy", "-bsf:v", ticks, path)
    assert probe_video(path).rate == 60
    assert probe_video(path).rate_note is None
    assert shown(path) == list(range(PICTURES))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("clip.264", ("-c:v", "libopenh264", "-b:v", "1M"), "states no rate"),
        ("clip.265", (*H265, "vui-timing-info=0:log-level=none"), "states no rate"),
        ("clip.mjpeg", ("-c:v", "mjpeg"), "states no rate"),
        ("clip.obu", AV1, "states no rate"),
        # As of video of variable rate.
        (
            "clip.264",
            (*H264, "-bsf:v", "h264_metadata=tick_rate=180000"),
            "states a clock of 90000 Hz",
        ),
    ],
)
def test_where_no_rate_is_stated_25_are_read_and_that_is_said(
    tmp_path: Path, name: str, options: Sequence[str], says: str
) -> None:
    path = brightening(tmp_path / name, options, "60")
    video = probe_video(path)
    assert video.rate == 25
    assert video.rate_note == f"{path}: {says}; it is read at 25 pictures a second"
    assert shown(path) == list(range(PICTURES))
    sixty = read_scaled(path, Fraction(60), Rectangle(0, 0, 128, 96), (128, 96))
    assert levels(sixty) == list(range(PICTURES))
    notes: list[str] = []
    look_at(path, tmp_path / "out.265", WHOLE, notes=notes.append)
    assert f"{video.rate_note}; --fps takes another rate" in notes
    asked = EncodeOptions(codec="hevc", view="whole", rate=Fraction(60))
    look_at(path, tmp_path / "out.265", asked, notes=no_notes)


def test_bench_says_that_no_rate_is_stated(tmp_path: Path) -> None:
    path = brightening(tmp_path / "clip.mjpeg", ("-c:v", "mjpeg"), "60")
    notes: list[str] = []
    lossless, shown_as = tmp_path / "clip.mkv", tmp_path / "clip.mp4"
    options = SourceOptions(view="whole")
    source = prepare_reference(path, lossless, shown_as, options, None, notes.append)
    assert source.pictures == PICTURES
    assert f"{path}: states no rate; it is read at 25 pictures a second" in notes


def test_a_single_picture_needs_no_rate(tmp_path: Path) -> None:
    path = tmp_path / "still.jpg"
    ffmpeg("-f", "lavfi", "-i", "color=c=black:s=128x96", "-frames:v", "1", path)
    assert probe_video(path).rate_note is None


def repeat_fields_of_mpeg2(stream: bytearray) -> None:
    """Have pictures shown for 3 and 2 fields in turn, as film is on television."""
    place, count = stream.find(b"\0\0\1"), 0
    while place >= 0:
        code, kind = stream[place + 3], stream[place + 4] >> 4
        if code == 0xB5 and kind == 1:  # sequence extension
            stream[place + 5] &= ~8  # fields may come
        elif code == 0xB5 and kind == 8:  # picture coding extension
            top_first, repeats = ((1, 1), (0, 0), (0, 1), (1, 0))[count % 4]
            stream[place + 7] = stream[place + 7] & ~0x82 | top_first << 7 | repeats << 1
            stream[place + 8] |= 0x80
            count += 1
        place = stream.find(b"\0\0\1", place + 3)
    assert count == PICTURES


def repeat_fields_of_h264(stream: bytearray) -> None:
    replace_structures(stream, bytes((0x51, 0x04, 0x61, 0x04)))


def double_some_of_h264(stream: bytearray) -> None:
    replace_structures(stream, bytes((*[0x04] * 7, 0x72)))


def replace_structures(stream: bytearray, structures: bytes) -> None:
    """Have `structures` in turn in the picture timing messages, which have one byte each."""
    head, count = b"\0\0\1\6\1\1", 0
    place = stream.find(head)
    while place >= 0:
        stream[place + len(head)] = structures[count % len(structures)]
        count += 1
        place = stream.find(head, place + 1)
    assert count == PICTURES


@pytest.mark.parametrize(
    ("name", "options", "edit"),
    [
        ("clip.m2v", MPEG2, repeat_fields_of_mpeg2),
        ("clip.264", (*H264, "-x264-params", "pic-struct=1:bframes=0"), repeat_fields_of_h264),
    ],
)
def test_film_that_is_stated_as_fields_is_read_as_film(
    tmp_path: Path, name: str, options: Sequence[str], edit: Callable[[bytearray], None]
) -> None:
    path = brightening(tmp_path / name, options, NTSC)
    stream = bytearray(path.read_bytes())
    edit(stream)
    path.write_bytes(stream)
    assert probe_video(path).rate == Fraction(24000, 1001)
    assert probe_video(path).rate_note is None
    assert shown(path) == list(range(PICTURES))


def test_pictures_that_are_to_be_shown_again_are(tmp_path: Path) -> None:
    path = brightening(
        tmp_path / "clip.264", (*H264, "-x264-params", "pic-struct=1:bframes=0"), "30"
    )
    stream = bytearray(path.read_bytes())
    double_some_of_h264(stream)
    path.write_bytes(stream)
    assert probe_video(path).rate == 30
    assert shown(path) == [n for n in range(PICTURES) for _ in range(2 if n % 8 == 7 else 1)]


def test_pictures_that_h263_left_out_are_missed_where_they_were(tmp_path: Path) -> None:
    path = brightening(tmp_path / "clip.h263", ("-s", "176x144", *H263), NTSC)
    stream = bytearray(path.read_bytes())
    numbers = [*range(250, 270), *range(270, 300, 3)]
    places = [match.start() for match in re.finditer(rb"\0\0[\x80-\x83]", stream)]
    for place, number in zip(places, numbers, strict=True):
        reference = number % 256
        stream[place + 2] = 0x80 | reference >> 6
        stream[place + 3] = reference << 2 & 0xFC | stream[place + 3] & 3
    path.write_bytes(stream)
    assert probe_video(path).rate == Fraction(NTSC)
    times = [timed.time for timed in decoded_frames(path, no_notes)]
    assert times == pytest.approx([(number - 250) * 1001 / 30000 for number in numbers])


def test_a_field_is_shown_as_long_as_its_frame() -> None:
    raw = Raw(Fraction(30))
    lengths = [raw.length(Fraction(fields, 60)) for fields in (0, 1, 2, 3, 4, 1000)]
    assert lengths == [Fraction(fields, 60) for fields in (2, 2, 2, 3, 4, 6)]
    assert [raw.is_field(Fraction(fields, 60)) for fields in range(4)] == [
        False,
        True,
        False,
        False,
    ]
