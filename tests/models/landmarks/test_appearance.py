"""What a face looks like does not depend on where it is; another's looks otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import demo_still
from models.contract import FloatArray, Picture
from models.landmarks.appearance import (
    FREE_TURN,
    LIMIT,
    TURN_LIMIT,
    AppearanceReader,
    FaceAppearance,
)
from models.landmarks.face_space import shipped_face_space
from models.landmarks.tracking import FaceTracker

STILL = demo_still(256)


@pytest.fixture(scope="module")
def tracker() -> Iterator[FaceTracker]:
    with FaceTracker() as tracker:
        yield tracker


@pytest.fixture(scope="module")
def reader() -> AppearanceReader:
    return AppearanceReader(shipped_face_space())


def seen(reader: AppearanceReader, tracker: FaceTracker, picture: Picture) -> FaceAppearance:
    landmarks = tracker.look(picture)
    assert landmarks is not None
    return reader.read(picture, landmarks)


def moved(degrees: float, scale: float, shift: float) -> Picture:
    matrix = np.asarray(cv2.getRotationMatrix2D((128, 128), degrees, scale), np.float64)
    matrix[:, 2] += shift
    return np.asarray(cv2.warpAffine(STILL, matrix, (256, 256), borderMode=cv2.BORDER_REFLECT))


@pytest.mark.parametrize(
    "picture",
    [moved(0, 1, 12), moved(0, 0.7, 0), moved(35, 0.9, 0), moved(-35, 0.9, 5), STILL // 10 * 9],
    ids=["shifted", "smaller", "rolled", "rolled back", "a little darker"],
)
def test_a_face_looks_the_same_elsewhere(
    reader: AppearanceReader, tracker: FaceTracker, picture: Picture
) -> None:
    one, other = seen(reader, tracker, STILL), seen(reader, tracker, picture)
    assert one.distance(other) == other.distance(one)
    assert one.distance(other) < 0.5 * LIMIT
    assert one.change(other) < 0.5


def test_other_colours_and_another_texture_are_another_face(
    reader: AppearanceReader, tracker: FaceTracker
) -> None:
    landmarks = tracker.look(STILL)
    assert landmarks is not None
    same = reader.read(STILL, landmarks)
    assert same.distance(same) == 0
    assert same.change(reader.read(np.ascontiguousarray(STILL[..., ::-1]), landmarks)) > 1
    blots = np.random.default_rng(1).integers(0, 60, (22, 22), np.uint8)
    rough = cv2.resize(blots, (256, 256), interpolation=cv2.INTER_CUBIC)[..., None]
    assert (
        same.change(reader.read(np.asarray(STILL // 2 + rough // 2 * 2, np.uint8), landmarks)) > 1
    )


def warmed(picture: Picture, gains: tuple[float, float, float]) -> Picture:
    linear = (picture / 255.0) ** 2.2 * gains
    return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / 2.2) + 0.5, np.uint8)


def test_a_face_in_other_light_is_the_same_where_all_about_it_is_too(
    reader: AppearanceReader, tracker: FaceTracker
) -> None:
    landmarks = tracker.look(STILL)
    assert landmarks is not None
    key = reader.read(STILL, landmarks)
    warm = warmed(STILL, (1.2, 1.0, 0.75))
    lit = reader.read(warm, landmarks)
    assert lit.distance(key) > LIMIT
    assert max(lit.change(key), key.change(lit)) < 0.5
    assert lit.change_while_still(key, LIMIT) < 0.5
    # In however strong a light, both ways are alike.
    strong = reader.read(warmed(STILL, (1.3, 1.0, 0.7)), landmarks)
    assert strong.distance_in_its_light(key) == pytest.approx(
        key.distance_in_its_light(strong), abs=0.2
    )
    # Who has another colour where nothing else has is somebody else,
    points = (landmarks[:, :2] * 256).astype(np.int32)
    face = cv2.fillConvexPoly(np.zeros((256, 256), np.uint8), cv2.convexHull(points), [1])
    other = reader.read(np.where(face[..., None] > 0, warm, STILL), landmarks)
    assert other.change(key) > 1
    # and so is who has other features, and colours that no light makes of these.
    assert reader.read(np.ascontiguousarray(warm[::-1]), landmarks).change(key) > 1
    assert reader.read(warmed(STILL, (1.2, 1.0, 0.3)), landmarks).change(key) > 1
    # A face that fills the picture says nothing of light.
    alone = landmarks.copy()
    alone[:, :2] = (alone[:, :2] - alone[:, :2].min(0)) / np.ptp(alone[:, :2], axis=0)
    filled, warm_filled = (reader.read(picture, alone) for picture in (STILL, warm))
    assert warm_filled.change(filled) > 1


def _turned(degrees: float, distance: float) -> FaceAppearance:
    turn = np.array([0.0, np.radians(degrees), 0.0])
    rotation: FloatArray = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    return FaceAppearance(np.array([distance]), np.zeros(2), rotation)


def test_turned_heads_may_differ_by_more() -> None:
    key = _turned(0, 0)
    for degrees in (0.0, 10.0, 40.0, 170.0):
        assert _turned(degrees, 0).turn(key) == pytest.approx(degrees)
        limit = LIMIT + TURN_LIMIT * max(0.0, degrees - FREE_TURN)
        assert _turned(degrees, 1.01 * limit).change(key) == pytest.approx(1.01)
    assert _turned(2, 0.5).change_while_still(key, 0.5) == pytest.approx(1)
    assert _turned(20, 0.5).change_while_still(key, 0.5) < 0.7
