"""Texture of a key picture in a later, coarser one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.demo_clip import make_demo_clip
from models import default_registry
from models.contract import FloatArray, Picture
from models.landmarks.flow import plane
from models.landmarks.key_texture import changed_alike, with_key_texture
from models.landmarks.tracking import look_at_still
from models.metrics.similarity import luma

LATER = 6


def coarse(picture: Picture) -> Picture:
    """A picture without its finest detail."""
    smaller = cv2.resize(picture, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(smaller, picture.shape[1::-1]), np.uint8)


def apart(one: Picture, other: Picture) -> float:
    return float(np.abs(luma(one) - luma(other)).mean())


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return list(make_demo_clip(0.6, 256))


@pytest.fixture(scope="module")
def landmarks(pictures: list[Picture]) -> list[FloatArray]:
    found = [look_at_still(pictures[number]) for number in (0, LATER)]
    return [each for each in found if each is not None]


def textured(picture: Picture, key: Picture, landmarks: list[FloatArray]) -> Picture:
    return with_key_texture(picture, plane(landmarks[1]), key, plane(landmarks[0]))


def test_a_coarser_picture_of_the_face_is_nearer_to_what_was_filmed(
    pictures: list[Picture], landmarks: list[FloatArray]
) -> None:
    filmed, key = pictures[LATER], pictures[0]
    assert apart(filmed, key) > 1, "the face moves"
    decoded = coarse(filmed)
    assert apart(textured(decoded, key, landmarks), filmed) < 0.85 * apart(decoded, filmed)


def test_what_the_key_picture_shows_otherwise_stays_as_decoded(
    pictures: list[Picture], landmarks: list[FloatArray]
) -> None:
    decoded, key = coarse(pictures[LATER]), pictures[0].copy()
    hand = np.s_[90:140, 90:140]
    key[hand] = (20, 200, 60)
    changed = np.abs(textured(decoded, key, landmarks).astype(int) - decoded)[hand]
    assert changed[12:-12, 12:-12].max() <= 1


def test_changes_come_in_any_size() -> None:
    before = np.full((8, 8, 3), 100, np.uint8)
    after = before.copy()
    after[:, 4:] = 90
    whole = np.full((32, 48, 3), 5, np.uint8)
    changed = changed_alike(whole, before, after)
    assert changed.shape == whole.shape
    assert (changed[:, :20] == 5).all()
    assert (changed[:, -20:] == 0).all()


@pytest.mark.parametrize("name", ["mesh", "face"])
def test_models_draw_with_it_and_keep_the_face_that_was_tracked(
    name: str, pictures: list[Picture]
) -> None:
    model = default_registry().find(name).load()
    decoded = [pictures[0], coarse(pictures[LATER])]
    with model.open_analyser() as analyser:
        keys = [analyser.analyse_key(picture) for picture in decoded]
    parameters = [key.parameters for key in keys if key is not None]
    key, plain, taking = (
        model.prepare(decoded[number], parameters[number]) for number in (0, 1, 1)
    )
    shown = taking.take_texture(key, decoded[1])
    assert shown is not None
    filmed = pictures[LATER]
    assert apart(shown, filmed) < 0.9 * apart(decoded[1], filmed)
    drawn = [each.animate(parameters[1]) for each in (plain, taking)]
    assert apart(drawn[1], filmed) < apart(drawn[0], filmed)
    known = []
    for reference in (plain, taking):
        landmarks, ends = reference.landmarks(parameters[1]), model.pair(key, reference).ends
        assert landmarks is not None
        assert ends is not None
        known.append((landmarks, model.layout.flatten(ends[1])))
    for before, after in zip(*known, strict=True):
        np.testing.assert_array_equal(before, after)
