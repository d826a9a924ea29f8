"""Whole pictures from a camera that swings: what control grids are for, through all commands."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, FaceEdit, edit, encode
from gfvc.demo_clip import RATE
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import transcode
from gfvc.verification.findings import Finding, Severity
from gfvc.verification.verifier import verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from models.metrics.similarity import psnr
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    mean_difference,
    nal_units,
    no_notes,
    stating,
    write_units,
)

OPTIONS = EncodeOptions(
    model="mesh",
    size=(320, 192),
    no_marking=True,
    key_qp=34,
    coded_interval=0.32,
    key_pictures="auto",
)
PICTURES = 25
SWING = 10


@pytest.fixture(scope="module")
def swinging(scenes: list[Picture]) -> list[Picture]:
    """From one coded picture to the next the camera goes to the side and back."""
    return [
        np.roll(picture, round(SWING * abs(np.sin(np.pi * number / 8))), axis=1)
        for number, picture in enumerate(scenes[:PICTURES])
    ]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, swinging: list[Picture]) -> Path:
    return write_video(tmp_path_factory.mktemp("swinging") / "clip.mkv", swinging, RATE)


@pytest.fixture(scope="module")
def stream(clip: Path) -> Path:
    path = clip.with_suffix(".266")
    encode(clip, path, OPTIONS)
    return path


@pytest.fixture(scope="module")
def decoded(stream: Path) -> list[Picture]:
    """The pictures of the stream."""
    return decode_all(stream)


def grids(stream: Path) -> list[int]:
    """How many follow each coded picture."""
    units = read_face_stream(stream, no_notes).units
    return [0 if unit.control_grids is None else len(unit.control_grids.grids) for unit in units]


def problems(stream: Path) -> list[Finding]:
    """What `gfvc verify` finds wrong."""
    findings = verify_stream(stream)
    return [finding for finding in findings if finding.severity is not Severity.INFORMATION]


def quality(shown: list[Picture], source: list[Picture]) -> float:
    pairs = zip(source, shown, strict=True)
    return float(np.mean([psnr(picture, decoded) for picture, decoded in pairs]))


def without_grids(stream: Path, path: Path) -> Path:
    """The same stream as a decoder has it that knows no control grids."""
    return write_units(path, (stating(unit, control_grids=None) for unit in nal_units(stream)))


def test_they_are_sent_and_bring_the_pictures_nearer(
    stream: Path, decoded: list[Picture], swinging: list[Picture], tmp_path: Path
) -> None:
    assert [count in (1, 3) for count in grids(stream)] == [True, True, True, False]
    assert problems(stream) == []
    plain = without_grids(stream, tmp_path / "plain.266")
    assert grids(plain) == [0, 0, 0, 0]
    assert plain.stat().st_size > 0.94 * stream.stat().st_size
    assert quality(decoded, swinging) > quality(decode_all(plain), swinging) + 2


def test_between_coded_pictures_far_apart_there_are_many(
    scenes: list[Picture], tmp_path: Path
) -> None:
    """The camera goes to and fro, and no curve through three grids would follow."""
    count = 33
    head = [scenes[number % PICTURES] for number in (*range(PICTURES), *range(PICTURES, 0, -1))]
    source = [
        np.roll(picture, round(SWING * np.sin(np.pi * number / 8)), axis=1)
        for number, picture in enumerate(head[:count])
    ]
    clip = write_video(tmp_path / "clip.mkv", source, RATE)
    stream, coarse = clip.with_suffix(".266"), tmp_path / "coarse.266"
    encode(clip, stream, replace(OPTIONS, coded_interval=1.28))
    assert grids(stream) == [7, 0]
    assert problems(stream) == []
    transcode(stream, coarse, precision=6)
    assert grids(coarse) == [7, 0]
    plain = without_grids(stream, tmp_path / "plain.266")
    assert plain.stat().st_size > 0.8 * stream.stat().st_size
    assert quality(decode_all(stream), source) > quality(decode_all(plain), source) + 2


def test_they_can_be_left_out(clip: Path, command: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "out.266"
    arguments = ("--model", "mesh", "--size", "320x192", "--coded-interval", "0.32")
    assert command("encode", clip, path, *arguments, "--without", "control-grids").status == 0
    assert not any(grids(path))


def test_a_still_camera_takes_none(scenes: list[Picture], tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", scenes[:1] * 20, RATE)
    encode(clip, clip.with_suffix(".266"), OPTIONS)
    assert not any(grids(clip.with_suffix(".266")))


def test_edits_and_transcoding_keep_them(stream: Path, tmp_path: Path) -> None:
    edited, coarse = tmp_path / "edited.266", tmp_path / "coarse.266"
    # The head is turned in coded pictures, too: those are hidden.
    edit(stream, edited, FaceEdit(roll=8))
    transcode(stream, coarse, precision=6)
    for path in (edited, coarse):
        assert grids(path) == grids(stream)
        assert problems(path) == []
        assert len(decode_all(path)) == PICTURES


def test_a_stream_that_was_cut_off_is_drawn_so_far(
    stream: Path, decoded: list[Picture], tmp_path: Path
) -> None:
    units = nal_units(stream)
    coded = [number for number, unit in enumerate(units) if unit.is_vcl]
    cut = write_units(tmp_path / "cut.266", units[: coded[2]])
    notes: list[str] = []
    pictures = decode_all(cut, notes.append)
    assert 9 <= len(pictures) < PICTURES
    for number in range(8):
        assert np.array_equal(pictures[number], decoded[number])


def test_an_edited_head_takes_nothing_else_along(scenes: list[Picture], tmp_path: Path) -> None:
    """What is beside it moves by time then, as filmed, and jumps at no coded picture."""
    panning = [np.roll(picture, number, axis=1) for number, picture in enumerate(scenes[:PICTURES])]
    clip = write_video(tmp_path / "clip.mkv", panning, RATE)
    stream, edited = tmp_path / "clip.266", tmp_path / "edited.266"
    encode(clip, stream, replace(OPTIONS, without=("control_grids",)))
    edit(stream, edited, FaceEdit(shift=(0.08, 0)))
    assert all(unit.hides_coded_picture for unit in read_face_stream(edited, no_notes).units)
    beside = np.s_[:, :60]
    before, after = (
        [mean_difference(a[beside], b[beside]) for a, b in pairwise(decode_all(path))]
        for path in (stream, edited)
    )
    assert max(after) < max(before) + 1
