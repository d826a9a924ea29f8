"""Edited sequences: predicted coded pictures show the face as filmed, and are hidden."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import gfvc
from gfvc import EncodeOptions, FaceEdit, edit, encode
from gfvc.decoder import decode_pictures
from gfvc.demo_clip import RATE
from gfvc.face_edits import preview
from gfvc.face_edits.preview import write_preview
from gfvc.options.decoding import BaseLayerOptions
from gfvc.picture_strip import spread
from gfvc.plotting import collect_curves
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from models import Runtime, default_registry
from models.contract import FloatArray, Picture
from sei.inspection import inspect_units
from tests.gfvc.face_edits.support import LIDS, LIPS, YAW, assert_moved, measured, share_of_opening
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    face_messages,
    mean_difference,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS

PICTURES = 30
EACH_FOURTH = slice(2, None, 4)


@pytest.fixture(scope="module")
def stream(demo_pictures: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo clip as one sequence; its first pictures are out of focus, and are leading ones."""
    folder = tmp_path_factory.mktemp("sequence")
    blurred = [
        np.asarray(cv2.GaussianBlur(picture, (0, 0), 4 - 0.5 * number), np.uint8)
        for number, picture in enumerate(demo_pictures[:6])
    ]
    clip = write_video(folder / "clip.mkv", [*blurred, *demo_pictures[6:]], RATE)
    path = folder / "demo.265"
    options = EncodeOptions(
        model="mesh", crop="none", key_pictures="auto", coded_interval=0.2, align=True
    )
    encode(clip, path, options, notes=no_notes)
    read = read_face_stream(path, no_notes)
    assert read.units[0].leading >= 4
    assert len(read.units) >= 4
    assert {bool(unit.messages) for unit in read.units} == {True, False}
    return path


@pytest.fixture(scope="module")
def filmed(stream: Path) -> list[Picture]:
    return decode_all(stream)


@pytest.fixture(scope="module")
def measured_before(filmed: list[Picture]) -> FloatArray:
    """What a tracker measures in each fourth picture as filmed."""
    return measured(filmed[EACH_FOURTH])


def edited(stream: Path, output: Path, **asked: Any) -> FaceStream:
    """An edited stream; all is consistent, and the base layer as it was."""
    edit(stream, output, FaceEdit(**asked), force=True, notes=no_notes)
    wrong = [f for f in verify_stream(output) if f.severity is not Severity.INFORMATION]
    assert wrong == []
    before, after = (
        [unit.to_annex_b() for unit in nal_units(path) if not unit.is_sei]
        for path in (stream, output)
    )
    assert before == after
    read = read_face_stream(output, no_notes)
    assert read.pictures == PICTURES
    return read


def heads(path: Path, folder: Path) -> FloatArray:
    """Yaw, pitch, roll (degrees) and place of all output pictures, as a decoder has them."""
    gfvc.export(path, folder / "out.npz", force=True, notes=no_notes)
    found: FloatArray = np.load(folder / "out.npz")["head"]
    assert len(found) == PICTURES
    return found


@pytest.mark.parametrize(
    ("asked", "moved", "by"),
    [
        ({"yaw": 8}, YAW, 8.0),
        ({"open": 0.08}, LIPS, 0.08),
        ({"mouth": 0}, LIPS, None),
        ({"blink": 1}, LIDS, None),
    ],
)
def test_what_is_asked_for_is_measured_and_nothing_else(
    stream: Path,
    measured_before: FloatArray,
    tmp_path: Path,
    asked: dict[str, float],
    moved: int,
    by: float | None,
) -> None:
    output = tmp_path / "edited.265"
    edited(stream, output, **asked)
    change = (measured(decode_all(output)[EACH_FOURTH]) - measured_before).mean(axis=0)
    if by is None:
        by = share_of_opening(asked) * float(measured_before[:, moved].mean())
    assert_moved(change, moved, by)


def test_all_pictures_move_alike_and_none_jumps(
    stream: Path, filmed: list[Picture], tmp_path: Path
) -> None:
    output = tmp_path / "edited.265"
    read = edited(stream, output, shift=(0.04, 0), roll=6)
    assert all(unit.hides_coded_picture for unit in read.units)
    change = heads(output, tmp_path)[:, :5] - heads(stream, tmp_path)[:, :5]
    # What is known of the last coded picture is another thing: before, it was against the one
    # before it, and now it is against itself.
    assert change[:-1, :3] == pytest.approx(np.tile([0, 0, 6], (PICTURES - 1, 1)), abs=0.15)
    assert change[:-1, 3:] == pytest.approx(np.tile([0.04, 0], (PICTURES - 1, 1)), abs=0.002)
    shown = decode_all(output)
    assert len(shown) == PICTURES
    steps, as_filmed = (
        [mean_difference(a, b) for a, b in pairwise(each)] for each in (shown, filmed)
    )
    # A coded picture that were shown among them would be far from its neighbours.
    assert max(steps) < max(as_filmed) + 1
    assert mean_difference(shown[10], filmed[10]) > 2 * max(steps)


def test_outside_its_time_nothing_changes(
    stream: Path, filmed: list[Picture], tmp_path: Path
) -> None:
    output = tmp_path / "edited.265"
    read = edited(stream, output, yaw=10, start=0.4, end=0.9, soft=0.1)
    before, after = heads(stream, tmp_path), heads(output, tmp_path)
    turn = after[:, 0] - before[:, 0]
    assert np.abs(turn[[*range(11), *range(23, PICTURES)]]).max() < 0.15
    assert turn[13:20] == pytest.approx(turn[15], abs=0.25)
    assert turn[15] > 8
    assert 0 < turn[11] < turn[12] < turn[13], "it comes in softly"
    pictures = decode_all(output)
    assert all(np.array_equal(pictures[n], filmed[n]) for n in (0, 3, 10, 24, 29))
    assert mean_difference(pictures[23], filmed[23]) < 0.5, "it has messages now, and is the same"
    assert not np.array_equal(pictures[15], filmed[15])
    hidden = [unit.hides_coded_picture for unit in read.units]
    assert any(hidden)
    assert not hidden[0]
    assert not hidden[-1]
    # Access units that stay are byte for byte those of before, but for user data and the mark.
    faces = [
        [unit.data for unit in nal_units(path) if unit.is_suffix_sei] for path in (stream, output)
    ]
    assert faces[0][0] == faces[1][0]


def test_inspector_plot_and_export_count_as_the_decoder_does(
    stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "edited.265"
    edited(stream, output, smile=1)
    summary = json.loads(command("inspect", output, "--summary", "--json").out)
    assert summary["pictures"] == PICTURES
    curves = collect_curves(inspect_units(nal_units(output)))
    read = read_face_stream(output, no_notes)
    starts = np.cumsum([0, *(unit.pictures for unit in read.units)])
    coded = [int(start) + unit.leading for start, unit in zip(starts, read.units, strict=False)]
    assert list(curves.key_pictures) == coded
    assert curves.pictures[-1] == PICTURES - 1
    assert len(set(curves.pictures)) == len(curves.pictures)
    assert sum(curves.face_bits) == sum(
        8 * len(message.to_bytes()) for unit in nal_units(output) for message in face_messages(unit)
    )
    gfvc.export(output, tmp_path / "out.npz", notes=no_notes)
    kinds = np.load(tmp_path / "out.npz")["kind"].tolist()
    assert set(kinds) == {"message", "between"}


def test_an_edited_stream_is_edited_again(stream: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.265", tmp_path / "twice.265"
    edited(stream, once, shift=(0.02, 0), zoom=1.1)
    edited(once, twice, shift=(-0.02, 0), zoom=1 / 1.1)
    before, after = heads(stream, tmp_path), heads(twice, tmp_path)
    assert after[:-1, :3] == pytest.approx(before[:-1, :3], abs=0.3)
    assert after[:-1, 3:] == pytest.approx(before[:-1, 3:], abs=0.002)


def test_a_stream_that_was_cut_off_is_edited_up_to_there(stream: Path, tmp_path: Path) -> None:
    cut, output = tmp_path / "cut.265", tmp_path / "edited.265"
    units = nal_units(stream)
    starts = [number for number, unit in enumerate(units) if unit.starts_picture]
    write_units(cut, units[: starts[-2]])
    whole = read_face_stream(cut, lambda _: None)
    assert 0 < len(whole.units) < len(read_face_stream(stream, no_notes).units)
    edit(cut, output, FaceEdit(roll=5), notes=lambda _: None)
    read = read_face_stream(output, lambda _: None)
    assert read.pictures == whole.pictures
    assert all(unit.hides_coded_picture for unit in read.units)


@pytest.mark.parametrize("name", ["vvc_mesh_grids.266", "vvc_mesh_two.266"])
def test_a_preview_shows_what_is_decoded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With control grids, and with the faces beside the first."""
    path = STREAMS / name
    stream = read_face_stream(path, no_notes)
    assert stream.model_uri is not None
    model = default_registry().find_uri(stream.model_uri).load(Runtime())
    shown: dict[str, list[Picture]] = {}
    monkeypatch.setattr(preview, "write_strip", lambda _, rows, squares: shown.update(rows))
    write_preview(tmp_path / "it.png", path, path, model, [FaceEdit(roll=5)], BaseLayerOptions())
    decoded = list(decode_pictures(path, stream, model))
    wanted = [decoded[number] for number in spread(len(decoded), preview.PICTURES)]
    for row in shown.values():
        np.testing.assert_array_equal(row, wanted)


def test_a_preview_is_of_the_pictures_that_both_have(stream: Path, tmp_path: Path) -> None:
    cut, strip = tmp_path / "cut.265", tmp_path / "preview.png"
    units = nal_units(stream)
    starts = [number for number, unit in enumerate(units) if unit.starts_picture]
    write_units(cut, units[: starts[-2]])
    uri = read_face_stream(stream, no_notes).model_uri
    assert uri is not None
    model = default_registry().find_uri(uri).load(Runtime())
    write_preview(strip, stream, cut, model, [FaceEdit(roll=5)], BaseLayerOptions())
    assert cv2.imread(str(strip)) is not None
