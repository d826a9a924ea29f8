from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.contract import Picture
from models.landmarks import points as groups
from models.training import Augmentation
from models.training.augmentation import (
    Pair,
    augment,
    code_key,
    colour,
    crop,
    flip,
    imitate_key_coding,
    landmark_mirror,
)
from models.training.footage import Landmarks
from models.training.hevc_coding import code_hevc, has_hevc_encoder
from models.training.pairs import make_pair
from tests.models.training.support import make_footage


def pair() -> Pair:
    return make_pair(make_footage("somebody", 4, 128), 0, 2, previous=True)


def faces(of: Pair) -> list[tuple[Picture, Landmarks]]:
    """All pictures of a pair with their landmarks."""
    assert of.previous is not None
    assert of.previous_landmarks is not None
    return [
        (of.key, of.key_landmarks),
        (of.driven, of.driven_landmarks),
        (of.previous, of.previous_landmarks),
    ]


def painted_mouths(of: Pair) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Centre of the pixels in the colour of the lips of each picture, in picture widths."""
    centres = []
    for picture, _ in faces(of):
        rows, columns = np.nonzero(
            (picture[..., 1] < 60) & (picture[..., [0, 2]].min(axis=2) > 180)
        )
        centres.append(np.array([columns.mean() + 0.5, rows.mean() + 0.5]) / picture.shape[0])
    return centres


def mouths(of: Pair) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    """Where the landmarks say that the mouth is."""
    return [face[list(groups.LIPS_OUTER), :2].mean(axis=0) for _, face in faces(of)]


def test_the_picture_before_is_the_previous_one() -> None:
    clip = make_footage("somebody", 4, 64)
    found = make_pair(clip, 0, 2, previous=True)
    assert found.previous is not None
    assert np.array_equal(found.previous, clip.pictures[1])
    assert found.previous_landmarks is not None
    assert np.array_equal(found.previous_landmarks, clip.landmarks[1])
    first = make_pair(clip, 2, 0, previous=True)
    assert first.previous is not None
    assert np.array_equal(first.previous, first.driven)


def test_a_picture_without_a_face_is_no_previous_one() -> None:
    clip = make_footage("somebody", 4, 64)
    landmarks = clip.landmarks.copy()
    landmarks[1] = np.nan
    found = make_pair(replace(clip, landmarks=landmarks), 0, 2, previous=True)
    assert found.previous is not None
    assert np.array_equal(found.previous, clip.pictures[2])
    assert replace(clip, landmarks=landmarks).usable.tolist() == [0, 2, 3]


def test_landmarks_follow_a_crop() -> None:
    cropped = crop(pair(), 20, 10, 100)
    assert cropped.key.shape == (128, 128, 3)
    for seen, told in zip(painted_mouths(cropped), mouths(cropped), strict=True):
        assert np.allclose(seen, told, atol=0.02)
    before = pair()
    assert not np.allclose(mouths(before)[0], mouths(cropped)[0], atol=0.02)
    # Depth has the scale of the rest.
    assert np.allclose(cropped.key_landmarks[:, 2], before.key_landmarks[:, 2] * 1.28, atol=1e-5)


def test_a_flip_swaps_left_and_right() -> None:
    before = pair()
    mirrored = flip(before, landmark_mirror())
    for seen, told in zip(painted_mouths(mirrored), mouths(mirrored), strict=True):
        assert np.allclose(seen, told, atol=0.02)
    # Each person's right eye is on the left of the picture, in a mirror too.
    for of in (before, mirrored):
        eyes = of.key_landmarks[[groups.RIGHT_EYE_OUTER_CORNER, groups.LEFT_EYE_OUTER_CORNER], 0]
        assert eyes[0] < 0.5 < eyes[1]
    twice = flip(mirrored, landmark_mirror())
    for (picture, face), (again, points) in zip(faces(before), faces(twice), strict=True):
        assert np.array_equal(picture, again)
        assert np.allclose(face, points, atol=1e-6)


def test_colours_change_alike_and_landmarks_do_not() -> None:
    before = pair()
    after = colour(before, 0.8, (1.1, 1.0, 0.9))
    for (picture, face), (changed, points) in zip(faces(before), faces(after), strict=True):
        assert np.array_equal(face, points)
        expected = 255 * np.clip((picture / 255) ** 0.8 * [1.1, 1.0, 0.9], 0, 1)
        assert np.abs(changed - expected).max() <= 0.5001


def test_only_the_key_picture_is_coded() -> None:
    settings = Augmentation(crop=0, colour=0, flip=0, key_coding=1)
    before = pair()
    after = augment(
        before,
        settings,
        landmark_mirror(),
        lambda picture, _: np.zeros_like(picture),
        np.random.default_rng(0),
    )
    assert not after.key.any()
    assert np.array_equal(after.driven, before.driven)


def test_nothing_is_changed_where_nothing_is_asked_for() -> None:
    settings = Augmentation(crop=0, colour=0, flip=0, key_coding=0)
    before = pair()
    after = augment(
        before, settings, landmark_mirror(), imitate_key_coding, np.random.default_rng(0)
    )
    for (picture, face), (same, points) in zip(faces(before), faces(after), strict=True):
        assert np.array_equal(picture, same)
        assert np.array_equal(face, points)


def quality(picture: Picture, coded: Picture) -> float:
    error = np.mean((picture.astype(np.float64) - coded) ** 2)
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("seed", range(6))
def test_imitated_coding_damages_about_as_much(seed: int) -> None:
    picture = pair().key
    coded = imitate_key_coding(picture, np.random.default_rng(seed))
    assert coded.shape == picture.shape
    assert 18 < quality(picture, coded) < 48
    # No cast: colours stay, on the mean.
    assert np.abs(coded.mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 3


@pytest.mark.skipif(not has_hevc_encoder(), reason="this PyAV has no libx265")
def test_real_coding_is_worse_at_higher_qp_and_keeps_colours() -> None:
    picture = pair().key
    found = {qp: code_hevc([picture], [qp], "ultrafast")[1][0] for qp in (22, 34, 46)}
    scores = [quality(picture, coded) for coded in found.values()]
    assert scores[0] > scores[1] > scores[2] > 18
    assert scores[0] > 30
    for coded in found.values():
        assert np.abs(coded.mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 3
    assert np.array_equal(found[34], code_hevc([picture], [34], "ultrafast")[1][0])


@pytest.mark.skipif(not has_hevc_encoder(), reason="this PyAV has no libx265")
def test_a_predicted_picture_costs_little_and_has_a_qp_of_its_own() -> None:
    picture = pair().key
    alone, _ = code_hevc([picture], [30])
    same, (first, second) = code_hevc([picture, picture], [30, 30])
    assert len(same) < 1.2 * len(alone)
    assert quality(picture, second) > quality(picture, first) - 0.5
    # What changes is coded more coarsely.
    changed = np.ascontiguousarray(picture[::-1])
    _, (_, fine) = code_hevc([picture, changed], [30, 30])
    _, (intra, coarse) = code_hevc([picture, changed], [30, 42])
    assert quality(changed, coarse) < quality(changed, fine) - 3
    assert abs(quality(picture, intra) - quality(picture, first)) < 0.5


@pytest.mark.skipif(not has_hevc_encoder(), reason="this PyAV has no libx265")
def test_coding_is_real_half_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    real: list[int] = []

    def note(pictures: list[Picture], qps: list[int], preset: str) -> tuple[bytes, list[Picture]]:
        real.extend(qps)
        return b"", pictures

    monkeypatch.setattr("models.training.augmentation.code_hevc", note)
    random = np.random.default_rng(0)
    picture = np.zeros((64, 64, 3), np.uint8)
    for _ in range(200):
        code_key(picture, random)
    assert 70 < len(real) < 130
    assert 22 <= min(real) < 27
    assert 41 < max(real) <= 46
