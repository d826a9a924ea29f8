"""Faces in whole pictures, edited and exported: numbers belong to the face square."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

import gfvc
from gfvc import DecodeOptions, EncodeOptions, FaceEdit, edit, encode
from gfvc.decoded_units import find_model
from gfvc.demo_clip import RATE
from gfvc.exporting.arkit import SHAPES
from gfvc.exporting.reading import HIDDEN, decoded_faces
from gfvc.scaling import scale
from gfvc.stream.reader import read_face_stream
from gfvc.video_writer import write_video
from models import Runtime, default_registry
from models.contract import Picture
from models.metrics.openings import openings
from tests.gfvc.face_edits.support import YAW, measured
from tests.gfvc.support import decode_all, mean_difference, no_notes


@pytest.fixture(scope="module")
def whole(demo_pictures: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo head in a wider picture, as a stream of whole pictures."""
    folder = tmp_path_factory.mktemp("whole")
    wide = [
        np.asarray(cv2.copyMakeBorder(picture, 16, 16, 100, 124, cv2.BORDER_REFLECT_101), np.uint8)
        for picture in demo_pictures[:20]
    ]
    clip = write_video(folder / "clip.mkv", wide, RATE)
    path = folder / "whole.265"
    encode(clip, path, EncodeOptions(model="mesh", view="whole", align=True), notes=no_notes)
    return path


@pytest.fixture(scope="module")
def shown(whole: Path) -> list[Picture]:
    """The decoded pictures."""
    return decode_all(whole)


class Turned(NamedTuple):
    """The stream with a head that is turned, its preview, and its decoded pictures."""

    path: Path
    preview: Path
    shown: list[Picture]


@pytest.fixture(scope="module")
def turned(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Turned:
    folder = tmp_path_factory.mktemp("turned")
    output, preview = folder / "edited.265", folder / "preview.png"
    edit(whole, output, FaceEdit(yaw=8), preview=preview, notes=no_notes)
    return Turned(output, preview, decode_all(output))


def test_a_head_turns_as_far_as_asked(shown: list[Picture], turned: Turned) -> None:
    square = read_face_stream(turned.path, no_notes).units[0].face_square
    assert square is not None
    before, after = (
        [picture[square.window] for picture in pictures[1::4]] for pictures in (shown, turned.shown)
    )
    turn = (measured(after) - measured(before)).mean(axis=0)[YAW]
    assert turn == pytest.approx(8, rel=0.2)


def test_lips_close(whole: Path, tmp_path: Path) -> None:
    """What landmarks have beyond their numbers is that of the face in its square."""
    output = tmp_path / "edited.265"
    edit(whole, output, FaceEdit(mouth=0), notes=no_notes)
    before, after = (drawn_lips(path) for path in (whole, output))
    assert min(before) > 0.08
    assert max(after) < 0.2 * min(before)


def drawn_lips(path: Path) -> list[float]:
    """Openings of the lips, in eye distances, of the landmarks that pictures are drawn by."""
    stream = read_face_stream(path, no_notes)
    model = find_model(path, stream, default_registry()).load(Runtime())
    faces = decoded_faces(path, stream, model, DecodeOptions(), no_notes)
    shown = [face.landmarks for face in faces if face.kind != HIDDEN]
    return [openings(landmarks).lips for landmarks in shown if landmarks is not None]


def test_a_preview_shows_the_faces_large(shown: list[Picture], turned: Turned) -> None:
    square = read_face_stream(turned.path, no_notes).units[0].face_square
    assert square is not None
    preview = cv2.imread(str(turned.preview))
    assert preview is not None
    height, width = 192, 320
    rows = []
    for first in (shown[0], turned.shown[0]):
        assert first.shape == (288, 480, 3)
        rows += [scale(first, (width, height)), scale(first[square.window], (width, width))]
    below = np.concatenate(rows)
    column = cv2.cvtColor(preview[:, 96 : 96 + width], cv2.COLOR_BGR2RGB)
    assert mean_difference(np.asarray(column, np.uint8), below) < 1


def test_exports_tell_the_face_as_it_is_in_its_square(
    whole: Path, shown: list[Picture], tmp_path: Path
) -> None:
    gfvc.export(whole, tmp_path / "out.csv", notes=no_notes)
    rows = np.loadtxt(tmp_path / "out.csv", delimiter=",", skiprows=1, usecols=range(2, 63))
    square = read_face_stream(whole, no_notes).units[0].face_square
    assert square is not None
    lips = measured([picture[square.window] for picture in shown])[:, -1]
    # A gap of 0.40 is a jaw that is wide open.
    assert rows[:, SHAPES.index("JawOpen")] == pytest.approx(lips / 0.4, abs=0.12)
