"""A last picture without face messages, of which the container says that it is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gfvc.stream.last_sample import last_sample_is_whole
from gfvc.stream.reader import read_face_stream
from gfvc.stream.stated_size import missing_bytes
from gfvc.telling import unheard
from sei import make_sei_nal_unit
from tests.gfvc.editing.streams import FILLER
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    ffmpeg,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS

# Ordinary video in the order in which it is shown; its first 5 pictures are put into containers.
ORDINARY = STREAMS / "hevc_fallback_always.265"
FIRST = ("-i", ORDINARY, "-c", "copy", "-frames:v", "5")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".flv"])
def test_it_is_shown(tmp_path: Path, command: CommandLine, suffix: str) -> None:
    path = tmp_path / f"in{suffix}"
    ffmpeg(*FIRST, path)
    assert read_face_stream(path, no_notes).pictures == 5
    assert len(decode_all(path, unheard)) == 5
    outcome = command("inspect", path, "--summary", "--json")
    assert outcome.status == 0
    assert json.loads(outcome.out)["pictures"] == 5


@pytest.mark.parametrize("options", ["+faststart", "+empty_moov"])
def test_one_that_is_cut_off_is_not(tmp_path: Path, command: CommandLine, options: str) -> None:
    """The cut is between its NAL units, so that nothing else tells."""
    units = nal_units(ORDINARY)
    last = [index for index, unit in enumerate(units) if unit.is_vcl][4]
    after = make_sei_nal_unit([FILLER], units[0].codec)
    stream = write_units(tmp_path / "in.265", [*units[: last + 1], after])
    whole, path = tmp_path / "whole.mp4", tmp_path / "in.mp4"
    ffmpeg("-i", stream, "-c", "copy", "-movflags", options, whole)
    assert last_sample_is_whole(whole)
    assert read_face_stream(whole, no_notes).pictures == 5
    data = whole.read_bytes()
    path.write_bytes(data[: data.rindex(after.data) - 4])
    assert not last_sample_is_whole(path)
    notes: list[str] = []
    assert read_face_stream(path, notes.append).pictures == 4
    assert any("cut off in the coded picture at byte" in note for note in notes)
    outcome = command("inspect", path, "--summary", "--json")
    assert json.loads(outcome.out)["pictures"] == 4


@pytest.mark.parametrize("name", ["fast.mp4", "fragments.mp4", "in.mkv"])
def test_a_file_that_ends_too_early_is_told_of(
    tmp_path: Path, command: CommandLine, name: str
) -> None:
    """Between two samples, where all that is read is whole."""
    options = {"fast.mp4": ("-movflags", "+faststart"), "fragments.mp4": ("-movflags", "+dash")}
    whole, path = tmp_path / f"whole.{name[-3:]}", tmp_path / name
    ffmpeg("-i", ORDINARY, "-c", "copy", *options.get(name, ()), whole)
    notes: list[str] = []
    read_face_stream(whole, notes.append)
    assert not any("missing at its end" in note for note in notes)
    data = whole.read_bytes()
    units = [unit for unit in nal_units(ORDINARY) if unit.is_vcl]
    end = data.index(units[5].data) - 4
    path.write_bytes(data[:end])
    assert not last_sample_is_whole(path)
    missing = missing_bytes(path, "matroska" if name == "in.mkv" else "mov")
    assert 0 < missing <= len(data) - end
    if name != "fragments.mp4":
        assert missing == len(data) - end
    for arguments in (("inspect", path, "--summary"), ("decode", path, tmp_path / "out.mkv")):
        assert (
            f"{path}: is cut off: at least {missing} bytes are missing" in command(*arguments).err
        )


def test_what_follows_the_last_box_is_no_cut(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    ffmpeg(*FIRST, path)
    for junk in (b"TAG and a title", bytes(range(1, 100)), b"\xff" * 7):
        path.write_bytes(path.read_bytes() + junk)
        notes: list[str] = []
        read_face_stream(path, notes.append)
        assert not any("is cut off" in note for note in notes)
        assert last_sample_is_whole(path)


@pytest.mark.parametrize(
    ("head", "formats", "missing"),
    [
        (b"\0\0\0\x10free12345678", "mov,mp4", 0),
        (b"\0\0\0\x11free12345678", "mov,mp4", 1),
        (b"\0\0\0\1mdat\0\0\0\1\0\0\0\0", "mov,mp4", (1 << 32) - 16),
        (b"\0\0\0\1mdat\0\0\1\0", "mov,mp4", 0),  # not known, as its size is cut
        (b"\0\0\0\0mdat12345678", "mov,mp4", 0),  # up to the end
        (b"\0\0\0\x10free12345678junk, and more of it", "mov,mp4", 0),
        (b"\0\0\0\x10free12345678\0\0\0\x11\xff\0\1\2", "mov,mp4", 0),
        (b"\0\0\0\x10free12345678\x7f\xff\xff", "mov,mp4", 0),
        (b"\0\0\0\x10odd_12345678\0\0\0\x10mdat", "mov,mp4", 8),
        (b"\0\0\0\3mdat12345678", "mov,mp4", 0),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x82ab", "matroska,webm", 0),
        (b"\x1a\x45\xdf\xa3\x81x\x18\x53\x80\x67\x40\x04ab", "matroska,webm", 2),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xffab", "matroska,webm", 0),  # unknown
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + 7 * b"\xff", "matroska,webm", 0),
        (b"\x1a\x45\xdf\xa3\x80", "matroska,webm", 0),
        (b"", "matroska,webm", 0),
        (b"\0\0\0\x11free12345678", "mpegts", 0),
    ],
)
def test_stated_sizes(tmp_path: Path, head: bytes, formats: str, missing: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(head)
    assert missing_bytes(path, formats) == missing


def test_where_nothing_says_it_is_not(tmp_path: Path) -> None:
    """MPEG-TS does not state how large a picture is, nor does a byte stream."""
    for suffix in (".ts", ".265"):
        path = tmp_path / f"in{suffix}"
        ffmpeg(*FIRST, path)
        assert not last_sample_is_whole(path)
        notes: list[str] = []
        assert read_face_stream(path, notes.append).pictures == 4
        assert len(notes) == 1
