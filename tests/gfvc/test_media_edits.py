"""Edit lists that cannot be followed."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.errors import InputError
from gfvc.media_files import STREAM_FORMATS, open_media
from gfvc.stream.edit_lists import tell_of_edits
from gfvc.video.frames import decoded_frames
from gfvc.video.sound import check_sound
from gfvc.video_reader import read_pictures
from tests.gfvc.support import ffmpeg, no_notes, set_edits

Part = tuple[int, int, float]


def with_edits(
    path: Path, parts: list[Part], *options: str, track: int = 0, version: int = 0
) -> Path:
    """An MP4 file of another edit list: milliseconds, ticks where parts begin, their speeds."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1.2", "-f", "lavfi", "-i", "sine=d=1.2",
           "-c:v", "libx264", "-bf", "0", "-video_track_timescale", "25000",
           "-movie_timescale", "1000", "-c:a", "aac", *options, path)  # fmt: skip
    return set_edits(path, parts, track=track, version=version)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([(600, 0, 1), (800, 15000, 0), (600, 15000, 1)], "standing still from 0.60 s on"),
        ([(600, 0, 2)], "at 2 times its speed from 0.00 s on"),
        ([(400, -1, 1), (2400, 0, 0.5)], "at 0.5 times its speed from 0.40 s on"),
        ([(1200, 0, -1)], "at -1 times its speed from 0.00 s on"),
    ],
)
def test_parts_at_another_speed_are_refused(
    parts: list[Part], shown: str, version: int, tmp_path: Path
) -> None:
    path = with_edits(tmp_path / "clip.mp4", parts, version=version)
    with pytest.raises(InputError) as refused:
        list(decoded_frames(path, no_notes))
    assert str(refused.value).startswith(f"{path}: its edit list has track 1 shown {shown}, which")


@pytest.mark.parametrize(
    "parts",
    [
        [(1200, 0, 1)],
        [(400, -1, 0), (1200, 0, 1)],
        [(600, 0, 1), (600, 15000, 1)],
        [(0, -1, 1), (1200, 0, 1), (0, -1, 1), (0, 0, 1)],
        # As of a program that leaves the field out.
        [(1200, 0, 0)],
    ],
)
def test_other_edits_are_read(parts: list[Part], tmp_path: Path) -> None:
    path = with_edits(tmp_path / "clip.mp4", parts)
    assert len(list(decoded_frames(path, no_notes))) >= 30


@pytest.mark.parametrize(
    ("parts", "start"),
    [
        ([(600, 0, 1), (400, -1, 1), (600, 15000, 1)], "0.60"),
        ([(200, -1, 1), (1000, 0, 1), (100, -1, 1)], "1.20"),
    ],
)
def test_a_pause_is_refused(parts: list[Part], start: str, tmp_path: Path) -> None:
    """The library shows the beginning there, be it hidden."""
    path = with_edits(tmp_path / "clip.mp4", parts)
    says = (
        f"{path}: its edit list has nothing of track 1 shown from {start} s on, amid its parts or "
        "behind them, which is not followed here; convert it first, with a video program that "
        "follows it (not ffmpeg)"
    )
    with pytest.raises(InputError) as refused:
        list(decoded_frames(path, no_notes))
    assert str(refused.value) == says


def test_a_pause_of_the_sound_is_refused_where_it_is_followed(tmp_path: Path) -> None:
    parts: list[Part] = [(400, 0, 1), (400, -1, 1), (400, 19200, 1)]
    path = with_edits(tmp_path / "clip.mp4", parts, track=1)
    assert len(list(decoded_frames(path, no_notes))) == 30
    for coding in ("copy", "aac"):
        with pytest.raises(InputError, match=r"nothing of track 2 shown from 0\.40 s on"):
            check_sound(path, coding)
        check_sound(path, coding, Fraction(0))


@pytest.mark.parametrize(
    "parts", [[(0, 0, 1)], [(0, 5000, 1), (0, -1, 1)], [(900, -1, 1)], [(900, 30000, 1)]]
)
def test_a_list_that_shows_nothing_is_refused_as_that(parts: list[Part], tmp_path: Path) -> None:
    path = with_edits(tmp_path / "clip.mp4", parts)
    says = (
        "its edit list has nothing of track 1 shown; if all of it is meant, take the list out "
        "(ffmpeg -ignore_editlist 1 -i IN -map 0 -c copy OUT)"
    )
    with pytest.raises(InputError, match=re.escape(says)):
        list(decoded_frames(path, no_notes))
    # What it says works.
    whole = tmp_path / "whole.mp4"
    ffmpeg("-ignore_editlist", "1", "-i", path, "-map", "0", "-c", "copy", whole)
    assert len(list(decoded_frames(whole, no_notes))) == 30
    check_sound(whole, "copy")


def test_among_fragments_a_part_without_length_is_all(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1.2", "-c:v", "libx264", "-bf", "2",
           "-movflags", "frag_keyframe+delay_moov", path)  # fmt: skip
    data = path.read_bytes()
    place = data.index(b"elst")
    assert int.from_bytes(data[place + 8 : place + 12], "big") == 1
    path.write_bytes(data[: place + 12] + bytes(4) + data[place + 16 :])
    assert len(list(decoded_frames(path, no_notes))) == 30


@pytest.mark.parametrize(
    ("reordered", "parts", "expected"),
    [
        ("2", [(400, 2000, 1), (400, 17000, 1)], 1),
        ("2", [(400, -1, 1), (400, 2000, 1)], 0),
        ("0", [(400, 0, 1), (400, 15000, 1)], 0),
    ],
)
def test_later_parts_of_reordered_pictures_are_told(
    reordered: str, parts: list[Part], expected: int, tmp_path: Path
) -> None:
    path = with_edits(tmp_path / "clip.mp4", parts, "-bf", reordered)
    notes: list[str] = []
    list(read_pictures(path, Fraction(25), notes=notes.append))
    assert len(notes) == expected
    for note in notes:
        assert note.startswith(f"{path}: its edit list shows 2 parts, and its pictures are coded")


def test_sound_at_another_speed_is_refused_where_it_is_kept(tmp_path: Path) -> None:
    path = with_edits(tmp_path / "clip.mov", [(600, 0, 2)], track=1)
    assert len(list(decoded_frames(path, no_notes))) == 30
    for coding in ("copy", "aac"):
        with pytest.raises(InputError, match=r"has track 2 shown at 2 times its speed"):
            check_sound(path, coding)


def test_of_a_stream_to_decode_it_is_a_note(tmp_path: Path) -> None:
    path = with_edits(tmp_path / "clip.mp4", [(600, 0, 2), (600, 0, 1)])
    notes: list[str] = []
    with open_media(path, STREAM_FORMATS, follow_edits=False) as container:
        tell_of_edits(path, container, notes.append)
    assert notes[0] == (
        f"{path}: its edit list has parts shown at another speed, or standing still, which is not "
        "followed: all is shown as it was coded"
    )


def test_any_content_of_the_list_is_survived(tmp_path: Path) -> None:
    path = with_edits(tmp_path / "clip.mp4", [(600, 0, 2), (600, 0, 1)])
    data = path.read_bytes()
    start = data.index(b"moov") - 4
    for at in range(start, len(data), 7):
        path.write_bytes(data[:at] + b"\xff" + data[at + 1 :])
        try:
            with open_media(path, STREAM_FORMATS) as container:
                tell_of_edits(path, container, lambda _: None)
        except InputError:
            pass
