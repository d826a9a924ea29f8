"""Times of a container that are not those of its stream."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.stream.container_times import tell_of_times
from gfvc.stream.reader import read_face_stream
from tests.gfvc.support import CommandLine, ffmpeg, no_notes
from tests.golden.files import STREAMS

# 6 pictures of a face, 6 of ordinary video in another order, 6 of a face.
REORDERED = STREAMS / "vvc_mesh_reordered.mp4"
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.76")
COPIED = ("-map", "0:v", "-map", "1:a?", "-c:v", "copy", "-c:a", "aac")
HALF_A_SECOND = "gte(N\\,7)*0.5/TB"  # before the last coded picture
GAP = ("-bsf:v", f"setts=pts=PTS+{HALF_A_SECOND}:dts=DTS+{HALF_A_SECOND}")


def told(path: Path, rate: int = 25, *, with_sound: bool = True) -> list[str]:
    notes: list[str] = []
    stream = read_face_stream(path, no_notes)
    tell_of_times(path, stream, Fraction(rate), notes.append, with_sound=with_sound)
    return notes


def test_a_gap_is_told_where_sound_is_kept(tmp_path: Path, command: CommandLine) -> None:
    source, output = tmp_path / "in.mp4", tmp_path / "out.mp4"
    ffmpeg("-i", REORDERED, *TONE, *COPIED, *GAP, source)
    outcome = command("decode", source, output)
    assert outcome.status == 0
    said = (
        f"gfvc: {source}: coded pictures are shown at other times than in the container, from "
        "0.48 s on, by 0.50 s at most; sound is kept at the container's times, and may be out of "
        "step"
    )
    assert said in outcome.err.splitlines()


@pytest.mark.parametrize(
    ("name", "sound"), [("out.mp4", ["--audio", "none"]), ("out.mp4", []), ("out.mkv", [])]
)
def test_another_speed_is_told_without_sound(
    tmp_path: Path, command: CommandLine, name: str, sound: list[str]
) -> None:
    source = tmp_path / "in.mp4"
    tone = (*TONE, *COPIED) if sound else ("-c", "copy")
    ffmpeg("-itsscale", "2", "-i", REORDERED, *tone, source)
    outcome = command("decode", source, tmp_path / name, *sound)
    assert outcome.status == 0
    said = (
        f"gfvc: {source}: coded pictures are shown at other times than in the container, from "
        "0.24 s on, by 0.48 s at most; they follow at 25 a second, and --fps gives another rate"
    )
    assert said in outcome.err.splitlines()
    outcome = command("decode", source, tmp_path / name, *sound, "--force", "--fps", "12.5")
    assert outcome.status == 0
    assert "than in the container" not in outcome.err


@pytest.mark.parametrize(
    ("scale", "says"), [("2", "from 0.24 s on, by 0.48 s"), ("0.5", "from 0.44 s on, by 0.24 s")]
)
def test_another_speed_is_told(tmp_path: Path, scale: str, says: str) -> None:
    for suffix in (".mp4", ".mkv"):
        path = tmp_path / f"in{suffix}"
        ffmpeg("-itsscale", scale, "-i", REORDERED, "-c", "copy", path)
        (note,) = told(path)
        assert says in note


def test_pictures_at_the_speed_of_the_container_are_in_step(tmp_path: Path) -> None:
    """As with --fps."""
    path = tmp_path / "in.mp4"
    ffmpeg("-itsscale", "2.5", "-i", REORDERED, "-c", "copy", path)
    assert told(path, 10) == []
    assert len(told(path)) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts", ".avi"])
def test_what_ffmpeg_copies_is_in_step(tmp_path: Path, suffix: str) -> None:
    for source in sorted(STREAMS.glob("*.mp4")):
        path = tmp_path / f"in{suffix}"
        # The first packets of AVI files are at 0.
        for options in ((), ("-output_ts_offset", "3"))[: 1 if suffix == ".avi" else 2]:
            ffmpeg("-i", source, "-c", "copy", *options, path)
            assert told(path) == []


@pytest.mark.parametrize("name", ["hevc_mesh_marked.265", "hevc_mesh_fallback.265"])
def test_times_that_count_coded_pictures_alone_are_not_believed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in.mp4"
    for rate in ("25", "5"):
        ffmpeg("-r", rate, "-i", STREAMS / name, "-c", "copy", path)
        assert told(path) == []


def test_even_times_of_ordinary_video_may_be_meant(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    for rate, notes in (("25", 0), ("5", 1)):
        ffmpeg("-r", rate, "-i", STREAMS / "hevc_fallback_always.265", "-c", "copy", path)
        assert len(told(path)) == notes


def test_times_in_decoding_order_are_not_believed(tmp_path: Path) -> None:
    """As ffmpeg gives them to a raw stream with reordered pictures."""
    path = tmp_path / "in.mp4"
    in_decoding_order = ("-bsf:v", "setts=pts=N*100000:dts=N*100000:time_base=1/1000000")
    ffmpeg("-i", REORDERED, "-c", "copy", *in_decoding_order, path)
    assert told(path) == []


def test_times_of_decoding_count_where_pictures_are_shown_in_that_order(tmp_path: Path) -> None:
    """As of AVI, where a picture was taken to be shown when the next one is decoded."""
    mp4, avi = tmp_path / "in.mp4", tmp_path / "in.avi"
    raw = STREAMS / "hevc_mesh_marked.265"
    starts = np.cumsum([0, *(unit.pictures for unit in read_face_stream(raw, no_notes).units)])
    for late, notes in ((0, 0), (10, 1)):
        # The container is late by so many pictures from the last one on.
        times = "+".join(
            f"eq(N\\,{number})*{start + late * (number == len(starts) - 2)}/5/TB"
            for number, start in enumerate(starts[:-1])
        )
        ffmpeg("-i", raw, "-c", "copy", "-bsf:v", f"setts=pts={times}:dts={times}", mp4)
        ffmpeg("-i", mp4, "-c", "copy", avi)
        assert [len(told(mp4, 5)), len(told(avi, 5))] == [notes, notes]


def timed(stream: Path, *, shown: bool) -> tuple[str, ...]:
    """What gives coded pictures the times at which they are shown at 5 a second, or counts them."""
    starts = np.cumsum([0, *(unit.pictures for unit in read_face_stream(stream, no_notes).units)])
    given = starts if shown else np.arange(len(starts))
    times = "+".join(f"eq(N\\,{number})*{start}/5/TB" for number, start in enumerate(given[:-1]))
    return "-bsf:v", f"setts=pts={times}:dts={times}"


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        ("hevc_mesh_marked.265", True),
        ("hevc_mesh_marked.265", False),
        ("hevc_mesh_fallback.265", True),
    ],
)
def test_the_first_time_of_avi_is_not_believed(tmp_path: Path, stream: str, shown: bool) -> None:
    """The first picture is at 0 in such files, however late it was, and the others are late."""
    raw, mp4, avi = STREAMS / stream, tmp_path / "in.mp4", tmp_path / "in.avi"
    ffmpeg("-i", raw, "-c", "copy", *timed(raw, shown=shown), mp4)
    for late in ("0", "2"):
        for options in (("-itsoffset", late, "-i", mp4), ("-i", mp4, "-output_ts_offset", late)):
            ffmpeg(*options, "-c", "copy", avi)
            assert told(avi, 5, with_sound=False) == []
            notes = told(avi, 5)
            assert len(notes) == (late != "0")
            if notes:
                assert "its pictures may have been 2.00 s later, for AVI has the first" in notes[0]
    # Another speed is told.
    ffmpeg("-itsscale", "3", "-itsoffset", "2", "-i", mp4, "-c", "copy", avi)
    (note,) = told(avi, 5, with_sound=False)
    assert "coded pictures are shown at other times than in the container" in note


def test_a_byte_stream_has_none() -> None:
    assert told(STREAMS / "hevc_mesh_marked.265") == []
