"""Which control grids are sent, of pictures whose surroundings go their own way."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
import pytest

from gfvc.control_motion import ControlMotion, moved, pictures_of_grids
from gfvc.encoding.grid_choice import GridChoice, grid_shape, grids_tried
from gfvc.encoding.picture_store import PictureStore
from gfvc.stream.control_grids import ControlGrids, GridShape
from models import FaceParameters, ReferencePair
from models.contract import Picture

WIDTH, HEIGHT, DRIVEN = 320, 192, 11
RATE = Fraction(25)
NO_PARAMETERS = FaceParameters(None, ())


class Held(ReferencePair):
    """Draws the same picture for all positions, without a face."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def animate(self, parameters: FaceParameters, position: float) -> Picture:
        return self._picture


@pytest.fixture(scope="module")
def wall() -> Picture:
    noise = np.random.default_rng(5).integers(0, 255, (12, 20, 3), np.uint8)
    return np.asarray(
        cv2.resize(noise, (WIDTH + 64, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8
    )


@pytest.fixture
def store() -> Iterator[PictureStore]:
    with PictureStore() as pictures:
        yield pictures


def window(wall: Picture, shift: float) -> Picture:
    """What a camera sees of a wall that has turned to the right by so many pixels."""
    matrix = np.array([[1, 0, -32 - shift], [0, 1, 0]], np.float32)
    return np.asarray(
        cv2.warpAffine(wall, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC), np.uint8
    )


def chosen(
    store: PictureStore, pictures: list[Picture], drawn: Picture, multiplier: float
) -> tuple[GridShape, tuple[tuple[int, ...], ...]]:
    for number, picture in enumerate(pictures):
        store.add(number, picture)
    choice = GridChoice(store, RATE, multiplier)
    faces = [NO_PARAMETERS] * len(pictures)
    return choice.shape, choice.choose(Held(drawn), faces, range(len(pictures)))


def test_a_camera_that_swings_is_followed(store: PictureStore, wall: Picture) -> None:
    """It goes to the right and back between two coded pictures that show the same."""
    shifts = [6 * np.sin(np.pi * n / (DRIVEN + 1)) for n in range(1, DRIVEN + 1)]
    pictures = [window(wall, shift) for shift in shifts]
    drawn = window(wall, 0)
    shape, grids = chosen(store, pictures, drawn, 0.005)
    assert len(grids) in (1, 3)
    motion = ControlMotion(ControlGrids(shape, grids), DRIVEN)
    middle = DRIVEN // 2
    position = (middle + 1) / (DRIVEN + 1)
    assert motion.at(position)[..., 0].mean() * WIDTH == pytest.approx(6, abs=0.7)
    corrected = moved(drawn, motion.at(position), None)
    inner = np.s_[8:-8, 16:-16]

    def miss(picture: Picture) -> float:
        return float(np.abs(picture.astype(int) - pictures[middle])[inner].mean())

    assert miss(corrected) < 0.2 * miss(drawn)


def test_a_motion_to_both_sides_takes_three(store: PictureStore, wall: Picture) -> None:
    shifts = [6 * np.sin(2 * np.pi * n / 16) for n in range(1, 16)]
    shape, grids = chosen(store, [window(wall, s) for s in shifts], window(wall, 0), 0.005)
    assert len(grids) == 3
    across = [shape.array(nodes)[..., 0].mean() * shape.step * WIDTH for nodes in grids]
    assert across == pytest.approx([6, 0, -6], abs=0.7)


def test_a_motion_to_and_fro_takes_more(store: PictureStore, wall: Picture) -> None:
    """Coded pictures that lie far apart have more between them than a curve can follow."""
    shifts = [6 * np.sin(4 * np.pi * n / 32) for n in range(1, 32)]
    shape, grids = chosen(store, [window(wall, s) for s in shifts], window(wall, 0), 0.005)
    assert len(grids) == 7
    across = [shape.array(nodes)[..., 0].mean() * shape.step * WIDTH for nodes in grids]
    assert across == pytest.approx([6, 0, -6, 0, 6, 0, -6], abs=0.7)


@pytest.mark.parametrize(
    ("driven", "tried"),
    [(1, []), (2, [1]), (3, [1, 3]), (30, [1, 3]), (31, [1, 3, 7]), (63, [1, 3, 7, 15])],
)
def test_more_than_three_grids_are_four_pictures_apart(driven: int, tried: list[int]) -> None:
    assert grids_tried(driven) == tried
    of_most = pictures_of_grids(max([*tried, min(3, driven)]), driven)
    for grids in tried:
        assert set(pictures_of_grids(grids, driven)) <= set(of_most)


def test_what_is_drawn_right_takes_none(store: PictureStore, wall: Picture) -> None:
    pictures = [window(wall, 0)] * DRIVEN
    assert chosen(store, pictures, window(wall, 0), 1e-9)[1] == ()


def test_none_is_sent_where_bits_are_dear(store: PictureStore, wall: Picture) -> None:
    pictures = [window(wall, 3)] * DRIVEN
    assert chosen(store, pictures, window(wall, 0), 1e-4)[1]
    assert chosen(store, pictures, window(wall, 0), 100.0)[1] == ()


@pytest.mark.parametrize("driven", [0, 1])
def test_where_there_is_nothing_between_none_is_sent(
    driven: int, store: PictureStore, wall: Picture
) -> None:
    store.add(0, window(wall, 0))
    choice = GridChoice(store, RATE, 0.005)
    assert choice.choose(Held(window(wall, 6)), [NO_PARAMETERS] * driven, range(driven)) == ()


def test_pictures_too_narrow_for_optical_flow_have_none(store: PictureStore, wall: Picture) -> None:
    pictures = [np.ascontiguousarray(window(wall, 3)[:24])] * DRIVEN
    assert chosen(store, pictures, np.ascontiguousarray(window(wall, 0)[:24]), 1e-6)[1] == ()


@pytest.mark.parametrize(
    ("size", "nodes"),
    [((640, 360), (6, 4)), ((360, 640), (4, 6)), ((256, 256), (4, 4)), ((640, 64), (6, 2))],
)
def test_shapes_follow_the_picture(size: tuple[int, int], nodes: tuple[int, int]) -> None:
    shape = grid_shape(*size)
    assert (shape.columns, shape.rows) == nodes
