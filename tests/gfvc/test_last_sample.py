"""A last picture without face messages, of which the container says that it is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gfvc.stream.last_sample import last_sample_is_whole
from gfvc.stream.reader import read_face_stream
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
    (note,) = notes
    assert "cut off in the coded picture at byte" in note
    outcome = command("inspect", path, "--summary", "--json")
    assert json.loads(outcome.out)["pictures"] == 4


def test_where_nothing_says_it_is_not(tmp_path: Path) -> None:
    """MPEG-TS does not state how large a picture is, nor does a byte stream."""
    for suffix in (".ts", ".265"):
        path = tmp_path / f"in{suffix}"
        ffmpeg(*FIRST, path)
        assert not last_sample_is_whole(path)
        notes: list[str] = []
        assert read_face_stream(path, notes.append).pictures == 4
        assert len(notes) == 1
