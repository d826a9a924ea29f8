"""The face between two references, and the flows to both."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models.contract import FloatArray, Picture
from models.errors import ModelError
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.flow import plane, warp
from models.landmarks.layout import POSE_VALUES
from models.landmarks.pairs import PairFlow, SharedFace
from models.landmarks.values import RestFace, rest_face

SIZE = 128


@pytest.fixture(scope="module")
def space() -> FaceSpace:
    return shipped_face_space()


def face_of(space: FaceSpace, seed: int, shift: float = 0.0) -> RestFace:
    """A face in the middle of a picture whose landmarks are no face that the space can say."""
    noise = np.random.default_rng(seed).normal(0, 0.01, space.mean.shape)
    face, _ = rest_face(space, (space.mean + noise) * 0.14 + (0.5 + shift, 0.5, 0))
    return face


@pytest.fixture(scope="module")
def earlier(space: FaceSpace) -> RestFace:
    return face_of(space, 0)


@pytest.fixture(scope="module")
def later(space: FaceSpace) -> RestFace:
    return face_of(space, 1, shift=0.03)


@pytest.fixture(scope="module")
def at_later(space: FaceSpace, earlier: RestFace, later: RestFace) -> FloatArray:
    return earlier.values(space, later.key_landmarks)


@pytest.fixture(scope="module")
def shared(
    space: FaceSpace, earlier: RestFace, later: RestFace, at_later: FloatArray
) -> SharedFace:
    return SharedFace(space, earlier, later, at_later)


def test_the_shared_face_goes_from_one_reference_to_the_other(
    space: FaceSpace, earlier: RestFace, later: RestFace, at_later: FloatArray, shared: SharedFace
) -> None:
    said = earlier.landmarks(space, at_later)
    misses = [
        np.abs(shared.landmarks(at_later, position) - later.key_landmarks)[:, :2].mean()
        for position in (0.0, 0.5, 0.9, 1.0)
    ]
    np.testing.assert_allclose(shared.landmarks(at_later, 0.0), said)
    assert misses[0] > 5e-4
    assert misses[1] == pytest.approx(misses[0] / 2)
    assert misses[2] == pytest.approx(misses[0] / 10)
    assert misses[3] < 1e-9


def test_what_values_cannot_say_turns_with_the_head(
    at_later: FloatArray, shared: SharedFace
) -> None:
    turned = at_later.copy()
    turned[:POSE_VALUES] += (0, 0, np.pi / 2, 0, 0, 0)  # in the picture's plane
    middle = at_later[3:5]

    def unsaid(values: FloatArray) -> FloatArray:
        moved = shared.landmarks(values, 1.0) - shared.landmarks(values, 0.0)
        return np.asarray(moved[:, :2])

    assert np.isfinite(middle).all()
    lengths = [np.linalg.norm(unsaid(values), axis=1) for values in (at_later, turned)]
    assert np.abs(unsaid(at_later) - unsaid(turned)).mean() > 1e-4
    np.testing.assert_allclose(lengths[0].mean(), lengths[1].mean(), rtol=0.1)


def texture(left: int) -> Picture:
    """Smooth noise, whose lower third has moved to the right by some pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE + 32, 3), np.uint8)
    wide = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), np.empty(0), 0, 255, cv2.NORM_MINMAX)
    picture = np.array(wide[:, 16 : 16 + SIZE])
    picture[88:] = wide[88:, 16 - left : 16 - left + SIZE]
    return np.asarray(picture, np.uint8)


def flow_between(space: FaceSpace, face: RestFace, first: Picture, second: Picture) -> PairFlow:
    """Flows where the face stands still."""
    key = plane(face.key_landmarks)
    values = face.values(space, face.key_landmarks)
    return PairFlow(
        SharedFace(space, face, face, values),
        (key, key),
        (first, second),
        lambda _, flow: warp(first, flow),
    )


def test_what_moves_beside_the_face_is_half_way_in_the_middle(
    space: FaceSpace, earlier: RestFace
) -> None:
    first, middle, second = (texture(left) for left in (0, 3, 6))
    values = earlier.values(space, earlier.key_landmarks)
    place = flow_between(space, earlier, first, second).place(values, 0.5)
    body = np.s_[100:, 20:-20]

    def miss(picture: Picture) -> float:
        return float(np.abs(picture[body].astype(int) - middle[body]).mean())

    for picture, flow in zip((first, second), place.whole_flows(), strict=True):
        assert miss(warp(picture, flow)) < 0.25 * miss(picture)


@pytest.mark.parametrize("position", [0.0, 1.0])
def test_each_reference_is_read_as_it_is_in_its_own_place(
    space: FaceSpace, earlier: RestFace, position: float
) -> None:
    first, second = texture(0), texture(6)
    values = earlier.values(space, earlier.key_landmarks)
    flows = flow_between(space, earlier, first, second).place(values, position).whole_flows()
    read: npt.NDArray[np.float32] = flows[int(position)]
    np.testing.assert_allclose(read, 0, atol=1e-5)
    assert np.abs(flows[1 - int(position)]).max() > 4 / SIZE


def test_what_stands_still_beside_the_head_is_read_where_it_is(
    space: FaceSpace, earlier: RestFace
) -> None:
    """However the head moves in between, both references show the same there."""
    picture = texture(0)
    values = earlier.values(space, earlier.key_landmarks)
    turned = values.copy()
    turned[3] += 0.04  # to the right
    place = flow_between(space, earlier, picture, picture).place(turned, 0.5)
    for flow in place.whole_flows():
        np.testing.assert_allclose(flow[:, :16], 0, atol=1e-4)
        assert np.abs(flow[60:70, 60:70, 0] + 0.04).max() < 0.01


def test_upper_lids_go_further_down_where_that_is_asked(space: FaceSpace) -> None:
    picture = texture(0)
    face, _ = rest_face(space, space.mean * 0.14 + (0.5, 0.5, 0))
    flow = flow_between(space, face, picture, picture)
    values = face.values(space, face.key_landmarks)
    lids = space.basis[:8, [159, 386], 1].sum(axis=1) - space.basis[:8, [145, 374], 1].sum(axis=1)
    gaps = (space.mean[[145, 374], 1] - space.mean[[159, 386], 1]).sum()
    values[POSE_VALUES:] += 0.4 * gaps * lids / (lids @ lids)  # closed by two fifths
    as_asked, lower = (flow.place(values, 0.5, closes_further=further) for further in (False, True))
    moved = lower.landmarks - as_asked.landmarks
    assert moved[[159, 386], 1].min() > 1e-4
    assert np.abs(moved[[145, 374]]).max() == 0
    assert not np.array_equal(as_asked.flows[0], lower.flows[0])


def test_pictures_of_two_sizes_make_no_pair(space: FaceSpace, earlier: RestFace) -> None:
    small = np.zeros((SIZE, 48, 3), np.uint8)
    with pytest.raises(ModelError, match="different sizes: 48x128 and 128x128"):
        flow_between(space, earlier, small, texture(0))
