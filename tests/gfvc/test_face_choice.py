"""Which of several faces is driven."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, InputError
from gfvc.crop import choose_crop
from gfvc.demo_clip import RATE, demo_still, make_demo_clip
from gfvc.face_choice import FaceTracks
from gfvc.face_square import FaceSquare
from gfvc.framing import frame
from gfvc.video_writer import open_writer
from models.contract import Picture
from models.landmarks.tracking import FaceBox
from tests.gfvc.support import no_notes

WALL = np.full((400, 800, 3), 90, np.uint8)


def face(x: float, y: float, side: float = 100.0) -> FaceBox:
    """The box of a face around (x, y)."""
    return FaceBox(x - side / 2, y - side / 2, side, side)


def noisy(seed: int) -> Picture:
    """A wall on which everything changes."""
    return np.random.default_rng(seed).integers(0, 255, WALL.shape, np.uint8)


def looks(*seen: list[FaceBox]) -> FaceTracks:
    faces = FaceTracks()
    for number, boxes in enumerate(seen):
        faces.look(noisy(number), boxes)
    return faces


def test_no_face() -> None:
    assert FaceTracks().choose() is None
    assert looks([], []).choose() is None


def test_the_face_that_there_is_most_of_is_driven_all_the_time() -> None:
    small, large = face(100, 100, 80), face(600, 100, 90)
    grown = face(110, 105, 120)
    faces = looks([large, small], [large], [grown, large])
    chosen = faces.choose()
    assert chosen is not None
    assert chosen.boxes == [large, large, large]
    assert chosen.centre == (600, 100)
    # It is not left for another that is seen while it is.
    assert faces.with_successors(chosen, math.inf) == [large, large, large]


def test_a_face_that_is_elsewhere_after_a_cut_is_followed() -> None:
    before, after, other = face(300, 100), face(400, 100), face(700, 300, 60)
    faces = looks([before, other], [before, other], [before, other], [after, other])
    chosen = faces.choose()
    assert chosen is not None
    assert faces.with_successors(chosen, math.inf) == [before, before, before, after]
    assert faces.with_successors(chosen, 1.2) == [before, before, before, after]
    assert faces.with_successors(chosen, 0.9) == [before, before, before]


def test_a_face_can_be_asked_for() -> None:
    large, small = face(600, 100, 90), face(100, 100, 50)
    faces = looks([large, small], [large, small])
    chosen = faces.choose((90, 110))
    assert chosen is not None
    assert chosen.boxes == [small, small]
    assert faces.choose((400, 300)) is None


def test_a_face_that_never_moves_is_a_poster_where_another_does() -> None:
    poster, speaker = face(600, 150, 200), face(150, 150, 80)
    faces = FaceTracks()
    for number in range(5):
        picture = noisy(number)
        picture[:, 400:] = 90
        picture[:, 400:] += np.uint8(number % 2)  # noise of coding
        faces.look(picture, [poster, speaker])
    chosen = faces.choose()
    assert chosen is not None
    assert chosen.boxes[0] == speaker
    asked = faces.choose((600, 150))
    assert asked is not None
    assert asked.boxes[0] == poster


def test_where_nothing_moves_the_largest_is_driven() -> None:
    faces = FaceTracks()
    for _ in range(3):
        faces.look(WALL, [face(600, 150, 200), face(150, 150, 80)])
    chosen = faces.choose()
    assert chosen is not None
    assert chosen.boxes[0] == face(600, 150, 200)


def test_what_is_seldom_seen_does_not_make_a_poster_of_a_face() -> None:
    """A single wrong detection moves by its nature."""
    faces = FaceTracks()
    still = face(600, 150, 200)
    for number in range(10):
        picture = noisy(number)
        picture[:, 400:] = 90
        faces.look(picture, [still, face(100, 100)] if number == 3 else [still])
    assert faces.told() == faces.tracks[:1]
    chosen = faces.choose()
    assert chosen is not None
    assert chosen.boxes[0] == still


def test_other_faces_are_driven_too() -> None:
    left, right, small = face(150, 100, 120), face(600, 100, 110), face(400, 300, 50)
    moved, close = face(220, 100, 110), face(400, 150, 260)
    faces = looks(
        [left, right, small], [left, right, small], [right, left], [left], [moved], [close], [close]
    )
    chosen = faces.choose((150, 100))
    assert chosen is not None
    assert chosen.boxes[0] == left
    # What is seen when the first is not, is near and as large, is the first one after a cut.
    assert faces.with_successors(chosen, 1.2) == [left] * 4 + [moved]
    others = [track.boxes[0] for track in faces.others(chosen, 1.2)]
    assert others == [close, right, small]
    # In one square there is but one face: the others in turn are it, too.
    assert [track.boxes[0] for track in faces.others(chosen, math.inf)] == [right, small]


def test_a_poster_is_no_other_speaker() -> None:
    poster, speaker = face(600, 150, 200), face(150, 150, 80)
    faces = FaceTracks()
    for number in range(5):
        picture = noisy(number)
        picture[:, 400:] = 90
        faces.look(picture, [poster, speaker])
    chosen = faces.choose()
    assert chosen is not None
    assert faces.others(chosen, 1.2) == []


@pytest.fixture(scope="module")
def poster_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A speaking face at the right, and a larger picture of it on the wall."""
    path = tmp_path_factory.mktemp("poster") / "clip.mkv"
    with open_writer(path, RATE) as writer:
        for speaking in make_demo_clip(2.0, size=192):
            picture = np.full((320, 640, 3), 128, np.uint8)
            picture[:320, :320] = demo_still(320)
            picture[100:292, 400:592] = speaking
            writer.write(picture)
    return path


def test_a_speaker_before_a_poster_is_taken_and_told(poster_clip: Path) -> None:
    told: list[str] = []
    framing = frame(poster_clip, 640, 320, EncodeOptions(), told.append)
    assert framing.square is not None
    assert framing.square.left >= 340
    [note] = told
    assert "shows faces at 2 places" in note
    assert "--face-at takes another" in note


def test_nobody_is_looked_for_where_all_is_ordinary_video(poster_clip: Path) -> None:
    ordinary = EncodeOptions(fallback="always")
    framing = frame(poster_clip, 640, 320, ordinary, no_notes)
    assert framing.square == FaceSquare(160, 0, 320)
    with pytest.raises(ValueError, match="no face is driven with fallback always"):
        replace(ordinary, face_at=(1, 1))
    # What is coded of the face alone is where it is.
    told: list[str] = []
    framing = frame(poster_clip, 640, 320, replace(ordinary, view="face"), told.append)
    assert framing.crop.left >= 340
    [note] = told
    assert " is taken; --face-at takes another" in note


def test_the_poster_can_be_asked_for(poster_clip: Path) -> None:
    asked = choose_crop(poster_clip, 640, 320, 0, face_at=(150, 120))
    assert asked.left + asked.width <= 400
    with pytest.raises(InputError, match=r"shows no face at 390,10; there are faces at \d+,\d+, "):
        frame(poster_clip, 640, 320, EncodeOptions(face_at=(390, 10)), lambda note: None)
    with pytest.raises(ValueError, match="crop none chooses no face"):
        EncodeOptions(crop="none", face_at=(1, 1))
