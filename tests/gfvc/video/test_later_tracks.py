"""Tracks that begin after a file was opened: the others are read to their end without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc.stream.last_sample import last_sample_is_whole
from gfvc.stream.nal_source import open_nal_units
from gfvc.video.brightness import is_bright
from gfvc.video.frames import decoded_frames
from gfvc.video.sound import SoundLength, check_sound
from gfvc.video_reader import probe_video
from tests.gfvc.support import ffmpeg

HEAD = 13
TEXT_TAG = b"\x02\x00\x0aonTextData\x08\0\0\0\1\0\4text\x02\0\5hello\0\0\x09"


def joined(folder: Path, *, sound: bool) -> Path:
    """Two transport streams of a second, joined byte by byte; the second has other PIDs."""
    tone = ("-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac") if sound else ()
    clips = []
    for number in range(2):
        path = folder / f"{number}.ts"
        pids = ("-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x1100") * number
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1", *tone, "-c:v", "libx264", "-bf",
               "0", "-output_ts_offset", str(number), "-muxdelay", "0", *pids, path)  # fmt: skip
        clips.append(path.read_bytes())
    path = folder / "joined.ts"
    path.write_bytes(b"".join(clips))
    return path


def tags(path: Path) -> list[tuple[int, int, bytes]]:
    """Kind, milliseconds and bytes of each tag of FLV."""
    data, place, found = path.read_bytes(), HEAD, []
    while place < len(data):
        end = place + 11 + int.from_bytes(data[place + 1 : place + 4], "big") + 4
        time = int.from_bytes(data[place + 4 : place + 7], "big")
        found.append((data[place], time, data[place:end]))
        place = end
    return found


def flv(folder: Path, *, says_sound: bool) -> Path:
    """Eight seconds of pictures, and sound in the last one."""
    path = folder / "clip.flv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=8", "-itsoffset", "7", "-f", "lavfi",
           "-i", "sine=duration=1", "-c:v", "libx264", "-bf", "0", "-c:a", "aac", path)  # fmt: skip
    if not says_sound:
        head = bytearray(path.read_bytes()[:HEAD])
        head[4] = 1
        found = tags(path)
        sets = next(tag for tag in found if tag[0] == 8)
        found = [tag for tag in found if tag[0] != 18 and tag is not sets]
        first = next(number for number, tag in enumerate(found) if tag[0] == 8)
        found.insert(first, sets)
        path.write_bytes(head + b"".join(tag[2] for tag in found))
    return path


def with_text(folder: Path) -> Path:
    """The same, with a text at 7.5 s."""
    path = flv(folder, says_sound=True)
    found = tags(path)
    place = next(number for number, tag in enumerate(found) if tag[1] >= 7500)
    head = bytes([18]) + len(TEXT_TAG).to_bytes(3, "big") + (7500).to_bytes(3, "big") + bytes(4)
    text = head + TEXT_TAG + (len(head) + len(TEXT_TAG)).to_bytes(4, "big")
    data = [tag[2] for tag in found]
    path.write_bytes(path.read_bytes()[:HEAD] + b"".join([*data[:place], text, *data[place:]]))
    return path


MADE: dict[str, tuple[Callable[[Path], Path], int, str | None]] = {
    "pictures": (
        lambda folder: joined(folder, sound=False),
        25,
        "pictures of another track begin later, as in files joined byte by byte: left out; join "
        "them with a video program",
    ),
    "both": (
        lambda folder: joined(folder, sound=True),
        25,
        "pictures of another track begin later, and sound with them, as in files joined byte by "
        "byte: left out; join them with a video program",
    ),
    "sound": (
        lambda folder: flv(folder, says_sound=False),
        200,
        "a sound track begins later, of which its start does not tell: left out; ffmpeg -probesize "
        "5G -analyzeduration 5G -i IN -c copy OUT.mkv makes a file that tells",
    ),
    "text": (with_text, 200, None),
}


@pytest.mark.parametrize("kind", MADE)
def test_they_are_left_out_and_pictures_and_sound_are_told(kind: str, tmp_path: Path) -> None:
    make, pictures, says = MADE[kind]
    path = make(tmp_path)
    notes: list[str] = []
    assert len(list(decoded_frames(path, notes.append))) == pictures
    assert notes == ([] if says is None else [f"{path}: {says}"])


@pytest.mark.parametrize("kind", MADE)
def test_whatever_reads_a_file_goes_to_its_end(kind: str, tmp_path: Path) -> None:
    path = MADE[kind][0](tmp_path)
    with open_nal_units(path) as units:
        assert sum(1 for _ in units) > 25
    last_sample_is_whole(path)
    is_bright(path)
    SoundLength(path).end  # noqa: B018
    if probe_video(path).has_audio:
        for coding in ("copy", "aac"):
            check_sound(path, coding)


def test_the_command_that_a_note_names_makes_the_sound_known(tmp_path: Path) -> None:
    path = flv(tmp_path, says_sound=False)
    assert not probe_video(path).has_audio
    known = tmp_path / "known.mkv"
    ffmpeg("-probesize", "5G", "-analyzeduration", "5G", "-i", path, "-c", "copy", known)
    assert probe_video(known).has_audio
    check_sound(known, "copy")
