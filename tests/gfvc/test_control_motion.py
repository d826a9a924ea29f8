"""Pictures moved by control grids: where, when, and not in the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.control_motion import ControlMotion, displacements, moved, pictures_of_grids
from gfvc.face_square import FaceSquare
from gfvc.stream.control_grids import STEPS_OF_SIDE, ControlGrids, GridShape
from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space

WIDTH, HEIGHT = 320, 192
SHAPE = GridShape(5, 3, 3)


@pytest.fixture(scope="module")
def wall() -> Picture:
    noise = np.random.default_rng(3).integers(0, 255, (24, 40, 3), np.uint8)
    large = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def everywhere(across: float, down: float, shape: GridShape = SHAPE) -> FloatArray:
    return np.full((shape.rows, shape.columns, 2), (across, down))


def motion(*grids: int, driven: int) -> ControlMotion:
    """Grids that move all to the right by so many steps."""
    count = SHAPE.columns * SHAPE.rows
    return ControlMotion(ControlGrids(SHAPE, tuple((steps, 0) * count for steps in grids)), driven)


@pytest.mark.parametrize(
    ("grids", "driven", "numbers"),
    [(1, 1, [1]), (1, 2, [2]), (1, 9, [5]), (3, 3, [1, 2, 3]), (3, 11, [3, 6, 9]), (2, 4, [2, 3])],
)
def test_grids_belong_to_pictures_at_equal_distances(
    grids: int, driven: int, numbers: list[int]
) -> None:
    assert pictures_of_grids(grids, driven) == numbers


def test_any_number_of_grids_belongs_to_as_many_pictures() -> None:
    for driven in range(1, 40):
        for grids in range(1, driven + 1):
            numbers = pictures_of_grids(grids, driven)
            assert numbers == sorted(set(numbers))
            assert numbers[0] >= 1
            assert numbers[-1] <= driven


def test_a_grid_is_itself_at_its_picture_and_nothing_at_coded_ones() -> None:
    step = 8 / STEPS_OF_SIDE
    three = motion(4, -2, 6, driven=7)
    wanted = {0.0: 0, 2 / 8: 4, 4 / 8: -2, 6 / 8: 6, 1.0: 0}
    for position, steps in wanted.items():
        assert three.at(position)[..., 0] == pytest.approx(steps * step, abs=1e-7)
        assert not three.at(position)[..., 1].any()
    # One grid makes a parabola.
    assert motion(8, driven=7).at(0.25)[0, 0, 0] == pytest.approx(0.75 * 8 * step)


def test_between_many_grids_all_goes_evenly() -> None:
    """A polynomial through so many would swing to thousands of steps between them."""
    steps = [0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
    many = motion(*steps, driven=63)
    places = {4 * (number + 1): value for number, value in enumerate(steps)} | {0: 0, 64: 0}
    for place in range(65):
        wanted = np.interp(place, sorted(places), [places[at] for at in sorted(places)])
        found = many.at(place / 64)[..., 0] * STEPS_OF_SIDE / 8
        assert found == pytest.approx(wanted, abs=1e-4)


def test_very_many_grids_take_no_more_than_they_are() -> None:
    """A stream may have 32768 of them between two coded pictures."""
    shape = GridShape(2, 2, 0)
    grids = tuple((number % 2, 0) * 4 for number in range(32768))
    motion_of_all = ControlMotion(ControlGrids(shape, grids), 32768)
    assert motion_of_all.at(2 / 32769)[0, 0, 0] == pytest.approx(1 / STEPS_OF_SIDE)
    assert not motion_of_all.at(1.0).any()


def test_pictures_are_read_at_the_displacement(wall: Picture) -> None:
    nodes = everywhere(8 / WIDTH, -4 / WIDTH).astype(np.float32)
    shifted = moved(wall, nodes, None)
    inner = np.s_[20:-20, 20:-20]
    assert np.abs(shifted.astype(int) - np.roll(wall, (4, -8), (0, 1)))[inner].max() <= 1


def test_displacements_are_linear_between_nodes() -> None:
    nodes = np.zeros((2, 2, 2), np.float32)
    nodes[:, 1] = 0.01, 0.02
    found = displacements(nodes, None, WIDTH, HEIGHT)
    assert found.shape == (HEIGHT, WIDTH, 2)
    assert found[50, WIDTH // 2] == pytest.approx((0.005 * WIDTH, 0.01 * WIDTH), rel=0.02)
    assert found[50, WIDTH // 4, 0] == pytest.approx(0.0025 * WIDTH, rel=0.02)


def test_what_moves_by_less_than_can_be_seen_is_left_alone(wall: Picture) -> None:
    assert moved(wall, everywhere(0.05 / WIDTH, 0).astype(np.float32), None) is wall


def test_the_face_stays_where_its_parameters_have_it(wall: Picture) -> None:
    face = shipped_face_space().mean * (0.09, 0.15, 0.09) + (0.5, 0.5, 0.0)
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    assert (low > 0.1).all()
    assert (high < 0.9).all()
    shifted = moved(wall, everywhere(6 / WIDTH, 0).astype(np.float32), face)
    differs = np.abs(shifted.astype(int) - wall).max(axis=2)
    row, column = HEIGHT // 2, WIDTH // 2
    assert differs[row - 10 : row + 10, column - 8 : column + 8].max() == 0
    assert differs[:20].mean() > 5


def test_a_square_is_moved_as_the_picture_that_it_is_cut_from(wall: Picture) -> None:
    square = FaceSquare(96, 32, 128)
    generator = np.random.default_rng(4)
    steps = tuple(generator.integers(-4, 5, SHAPE.numbers).tolist())
    control = ControlGrids(SHAPE, (steps,))
    whole = ControlMotion(control, 5).at(0.5)
    part = ControlMotion(control, 5, (square, (WIDTH, HEIGHT))).at(0.5)
    of_whole = displacements(whole, None, WIDTH, HEIGHT)[square.window]
    of_part = displacements(part, None, square.side, square.side)
    assert np.abs(of_whole).max() > 2
    assert np.abs(of_whole - of_part).max() < 0.3


@pytest.mark.parametrize("far", [1e3, -1e9, 1e12])
def test_a_face_that_a_damaged_stream_puts_far_away_does_no_harm(far: float, wall: Picture) -> None:
    nodes = everywhere(6 / WIDTH, 0).astype(np.float32)
    shifted = moved(wall, nodes, shipped_face_space().mean * far)
    assert shifted.shape == wall.shape
