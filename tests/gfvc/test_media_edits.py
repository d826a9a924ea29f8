"""Edit lists that ask for another speed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfvc.errors import InputError
from gfvc.media_files import STREAM_FORMATS, open_media
from gfvc.stream.edit_lists import tell_of_edits
from gfvc.video.frames import decoded_frames
from gfvc.video.sound import check_sound
from tests.gfvc.support import ffmpeg, no_notes, set_edits

Part = tuple[int, int, float]


def with_edits(path: Path, parts: list[Part], *, track: int = 0, version: int = 0) -> Path:
    """An MP4 file of another edit list: milliseconds, ticks where parts begin, their speeds."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1.2", "-f", "lavfi", "-i", "sine=d=1.2",
           "-c:v", "libx264", "-bf", "0", "-video_track_timescale", "25000",
           "-movie_timescale", "1000", "-c:a", "aac", path)  # fmt: skip
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
        [(600, 0, 1), (600, -1, 1), (600, 15000, 1)],
        # As of a program that leaves the field out.
        [(1200, 0, 0)],
    ],
)
def test_other_edits_are_read(parts: list[Part], tmp_path: Path) -> None:
    path = with_edits(tmp_path / "clip.mp4", parts)
    assert len(list(decoded_frames(path, no_notes))) >= 30


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
