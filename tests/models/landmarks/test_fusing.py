"""Fusing two pictures that show the same, and how likely each is right."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models.landmarks import points as groups
from models.landmarks.face_space import shipped_face_space
from models.landmarks.fusing import fuse, reference_lead

Float32Array = npt.NDArray[np.float32]
SIZE = 128


@pytest.fixture(scope="module")
def face() -> Float32Array:
    """The average face in the middle of a picture."""
    return (shipped_face_space().mean[:, :2] * 0.14 + 0.5).astype(np.float32)


def still() -> Float32Array:
    return np.zeros((SIZE, SIZE, 2), np.float32)


def noise(seed: int, low: int = 0, high: int = 256) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(low, high, (SIZE, SIZE, 3), np.uint8)


def lead_of(
    face: Float32Array,
    *,
    keys: tuple[Float32Array, Float32Array] | None = None,
    flows: tuple[Float32Array, Float32Array] | None = None,
    position: float = 0.5,
) -> Float32Array:
    return reference_lead(face, keys or (face, face), flows or (still(), still()), position)


def test_half_way_two_references_that_are_alike_count_the_same(face: Float32Array) -> None:
    np.testing.assert_allclose(lead_of(face), 0, atol=1e-6)


def test_time_favours_the_nearer_reference(face: Float32Array) -> None:
    leads = [lead_of(face, position=position).mean() for position in (0.0, 0.1, 0.5, 0.9, 1.0)]
    assert leads == sorted(leads)
    assert leads[0] == pytest.approx(-leads[-1])


def test_a_stretched_place_is_taken_from_the_other(face: Float32Array) -> None:
    """The earlier reference shows the left half four times as wide as the later one does."""
    stretched = still()
    x = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE
    stretched[..., 0] = np.where(x < 0.5, -0.75 * (x - 0.5), 0)
    lead = lead_of(face, flows=(stretched, still()))
    assert lead[:, 10:54].min() > 1
    np.testing.assert_allclose(lead[:, 74:], 0, atol=1e-3)
    np.testing.assert_allclose(lead_of(face, flows=(still(), stretched)), -lead, atol=1e-5)


def test_a_place_beyond_the_border_is_taken_from_the_other(face: Float32Array) -> None:
    shifted = still()
    shifted[..., 0] = 20 / SIZE
    lead = lead_of(face, flows=(shifted, still()))
    assert lead[:, -10:].min() > 2
    np.testing.assert_allclose(lead[:, :-30], 0, atol=1e-3)


@pytest.mark.parametrize(
    ("contour", "lower"),
    [(groups.LIPS_INNER, [178, 87, 14, 317, 402]), (groups.LEFT_EYE, [380, 374, 373])],
)
def test_an_opening_is_taken_from_where_it_was_as_open(
    face: Float32Array, contour: tuple[int, ...], lower: list[int]
) -> None:
    opened = face.copy()
    opened[lower, 1] += 0.02
    middle = face[list(contour)].mean(axis=0) * SIZE
    column, row = np.round(middle).astype(int)
    lead = lead_of(opened, keys=(face, opened))
    assert lead[row, column] > 1
    assert lead_of(face, keys=(face, opened))[row, column] < -1
    np.testing.assert_allclose(lead[:20], 0, atol=1e-6)


def test_a_lead_of_fewer_samples_is_the_mean_of_one_of_all_pixels(face: Float32Array) -> None:
    """References that are stretched, opened further, and read from beyond the border."""
    random = np.random.default_rng(3)
    opened = face.copy()
    opened[[178, 87, 14, 317, 402], 1] += 0.02
    for position in (0.2, 0.9):
        coarse = random.normal(0, 0.01, (2, 6, 6, 2)).astype(np.float32)
        one, other = (cv2.resize(c, (256, 256), interpolation=cv2.INTER_CUBIC) for c in coarse)
        one[..., 0] += 0.03
        flows = np.asarray(one, np.float32), np.asarray(other, np.float32)
        whole = reference_lead(face, (face, opened), flows, position)
        reduced = reference_lead(face, (face, opened), flows, position, step=4)
        mean = cv2.resize(whole, (64, 64), interpolation=cv2.INTER_AREA)
        assert reduced.shape == (64, 64)
        assert np.sqrt(np.square(reduced - mean).mean()) < 0.2 * mean.std()


def test_equal_pictures_are_kept_whatever_leads() -> None:
    picture = noise(0)
    lead = np.random.default_rng(1).normal(0, 5, (SIZE, SIZE)).astype(np.float32)
    np.testing.assert_array_equal(fuse(picture, picture, lead), picture)


def test_what_leads_by_far_is_taken_alone() -> None:
    first, second = noise(0), noise(1)
    lead = np.full((SIZE, SIZE), 14, np.float32)
    np.testing.assert_array_equal(fuse(first, second, -lead), first)
    np.testing.assert_array_equal(fuse(first, second, lead), second)


def test_a_place_hidden_in_one_picture_is_taken_from_the_other() -> None:
    """Each is painted over where the other leads."""
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    truth = np.stack([128 + 60 * np.sin(x / 5), 128 + 60 * np.sin(y / 7), (x + y) / 2], axis=2)
    truth = truth.astype(np.uint8)
    first, second = truth.copy(), truth.copy()
    first[40:70, 20:50] = 255
    second[60:90, 80:110] = 0
    lead = np.zeros((SIZE, SIZE), np.float32)
    lead[30:80, 10:60] = 5
    lead[50:100, 70:120] = -5
    fused = fuse(first, second, lead).astype(int)
    plain = (first.astype(int) + second) / 2
    assert np.abs(fused - truth).mean() < 0.2 * np.abs(plain - truth).mean()


def test_where_pictures_disagree_the_likelier_one_is_hardly_mixed() -> None:
    """The same slight lead mixes pictures that are alike, and chooses between unlike ones."""
    lead = np.full((SIZE, SIZE), 1.0, np.float32)
    first, second = noise(0, 60, 190), noise(1, 60, 190)
    alike = first + noise(1, 0, 16)

    def share(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
        """How much of the later picture was taken."""
        difference = other.astype(float) - one
        taken = fuse(one, other, lead).astype(float) - one
        return float((difference * taken).sum() / (difference**2).sum())

    assert 0.6 < share(first, alike) < share(first, second) - 0.1


def test_fusing_is_smooth_in_time(face: Float32Array) -> None:
    """No step of time changes many times what all of them do on the mean."""
    first, second = noise(0, 60, 190), noise(1, 60, 190)
    drawn = [
        fuse(first, second, lead_of(face, position=position)).astype(float)
        for position in np.linspace(0.05, 0.95, 91)
    ]
    steps = [np.abs(b - a).mean() for a, b in pairwise(drawn)]
    assert max(steps) < 8 * np.mean(steps)


@pytest.mark.parametrize("shape", [(16, 16), (65, 48), (300, 200)])
def test_pictures_of_any_size_are_fused(face: Float32Array, shape: tuple[int, int]) -> None:
    first = np.full((*shape, 3), 100, np.uint8)
    second = np.full((*shape, 3), 140, np.uint8)
    flow = np.zeros((*shape, 2), np.float32)
    lead = reference_lead(face, (face, face), (flow, flow), 0.5)
    np.testing.assert_array_equal(fuse(first, second, lead), np.full((*shape, 3), 120, np.uint8))
