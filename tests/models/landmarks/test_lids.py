"""Eyes that close further than in what they are drawn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.contract import Float32Array
from models.landmarks import points as groups
from models.landmarks.lids import FURTHER, BentReference, closed_further, with_bent_lids
from models.metrics.openings import openings
from tests.models.landmarks.eyes import LOWER, SIZE, UPPER, average_face, closed, eyes

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def face() -> Float32Array:
    """The average face, eyes open."""
    return average_face()


def flat(value: int) -> Picture:
    return np.full((SIZE, SIZE, 3), value, np.uint8)


def still() -> Float32Array:
    return np.zeros((2, SIZE, SIZE), np.float32)


def test_open_eyes_stay_as_they_are(face: Float32Array) -> None:
    assert closed_further(face, [face]) is face
    assert closed_further(face, [closed(face, 0.2)]) is face
    drawn = flat(90)
    assert with_bent_lids(drawn, face, [BentReference(flat(10), face, still())]) is drawn


def test_eyes_as_closed_as_in_one_of_two_references_stay_as_they_are(face: Float32Array) -> None:
    half = closed(face, 0.5)
    assert closed_further(half, [face, half]) is half
    references = [BentReference(flat(10), key, still()) for key in (face, half)]
    drawn = flat(90)
    assert with_bent_lids(drawn, half, references, np.zeros((64, 64), np.float32)) is drawn


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_upper_lids_go_further_down(face: Float32Array, share: float) -> None:
    asked = closed(face, share)
    drawn = closed_further(asked, [face])
    opened = [openings(points.astype(np.float64)).lids for points in (face, asked, drawn)]
    assert opened[0] - opened[2] == pytest.approx(FURTHER * (opened[0] - opened[1]), rel=0.02)
    others = np.setdiff1d(np.arange(len(face)), UPPER)
    np.testing.assert_array_equal(drawn[others], asked[others])


def test_lids_do_not_pass_each_other(face: Float32Array) -> None:
    drawn = closed_further(closed(face, 0.95), [face])
    np.testing.assert_allclose(drawn[UPPER], drawn[LOWER], atol=1e-6)


def test_one_eye_winks(face: Float32Array) -> None:
    wink = face.copy()
    right = list(groups.RIGHT_EYE)
    wink[right] = closed(face, 0.5)[right]
    drawn = closed_further(wink, [face])
    others = np.setdiff1d(np.arange(len(face)), right)
    np.testing.assert_array_equal(drawn[others], face[others])
    before, after = (openings(points.astype(np.float64)) for points in (wink, drawn))
    assert after.right_lids < before.right_lids
    (y, x), (other_y, other_x) = eyes(wink)
    picture = with_bent_lids(flat(90), wink, [BentReference(flat(10), face, still())])
    assert picture[y, x, 0] == 10
    assert picture[other_y, other_x, 0] == 90


def test_closed_eyes_are_bent_and_the_rest_is_painted(face: Float32Array) -> None:
    drawn, lids = flat(90), closed(face, 0.6)
    picture = with_bent_lids(drawn, lids, [BentReference(flat(10), face, still())])
    for y, x in eyes(lids):
        assert picture[y, x, 0] == 10
    nose, brow = (lids[point] * SIZE for point in (1, groups.RIGHT_BROW[2]))
    for x, y in (nose, brow):
        assert picture[int(y), int(x), 0] == 90
    assert (drawn == 90).all()


def test_what_is_bent_comes_in_smoothly(face: Float32Array) -> None:
    y, x = eyes(face)[0]
    reference = [BentReference(flat(10), face, still())]
    levels = [
        int(with_bent_lids(flat(90), closed(face, share), reference)[y, x, 0])
        for share in (0.05, 0.12, 0.15, 0.2, 0.28)
    ]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == 90
    assert levels[3] == pytest.approx(50, abs=4)


def test_a_reference_is_read_along_its_flow(face: Float32Array) -> None:
    ramp = np.repeat(np.arange(SIZE, dtype=np.uint8)[None, :, None], 3, axis=2)
    ramp = np.repeat(ramp, SIZE, axis=0)
    lids = closed(face, 0.6)
    flow, rest = still(), still()
    flow[0], rest[0] = 14 / SIZE, 24 / SIZE
    picture = with_bent_lids(flat(0), lids, [BentReference(ramp, face, flow, rest, 0.25)])
    for y, x in eyes(lids):
        assert picture[y, x, 0] == pytest.approx(x + 20, abs=1)


@pytest.mark.parametrize(("lead", "level"), [(-9.0, 10), (9.0, 200), (0.0, 105)])
def test_of_two_the_leading_one_is_taken(face: Float32Array, lead: float, level: int) -> None:
    lids = closed(face, 0.6)
    references = [BentReference(flat(value), face, still()) for value in (10, 200)]
    picture = with_bent_lids(flat(90), lids, references, np.full((64, 64), lead, np.float32))
    for y, x in eyes(lids):
        assert picture[y, x, 0] == pytest.approx(level, abs=1)


@pytest.mark.parametrize("shift", [0.4, 3.0, 900.0])
@pytest.mark.parametrize("scale", [1.0, 150.0, 0.0])
def test_eyes_at_or_beyond_the_border_are_survived(
    face: Float32Array, shift: float, scale: float
) -> None:
    """A damaged stream may say anything."""
    lids = (closed(face, 0.6) - 0.5) * np.float32(scale) + np.float32(0.5 + shift)
    references = [BentReference(flat(value), face, still()) for value in (10, 200)]
    drawn = with_bent_lids(flat(90), lids, references, np.zeros((64, 64), np.float32))
    assert drawn.shape == (SIZE, SIZE, 3)
    assert np.isfinite(closed_further(lids, [face])).all()
