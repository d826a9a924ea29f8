"""Learning the face space of the mesh model, and the one that is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.video_writer import open_writer
from models import ModelError
from models.contract import FloatArray
from models.landmarks import points as groups
from models.landmarks import tracking as clip_landmarks_module
from models.landmarks.face_space import (
    MIRROR,
    FaceSpace,
    HeadPose,
    mirror_order,
    shipped_face_space,
    values_to_pose,
)
from models.landmarks.fit import learn_face_space, main, normalise, point_weights
from models.landmarks.tracking import clip_landmarks


@pytest.fixture(scope="module")
def shipped() -> FaceSpace:
    return shipped_face_space()


def coefficients_in(space: FaceSpace, shapes: FloatArray) -> FloatArray:
    """Coefficients [N, K] of shapes [N, 478, 3] under the weights."""
    found: FloatArray = np.einsum("knd,mnd,n->mk", space.basis, shapes, space.weights)
    return found


def random_pose(random: np.random.Generator) -> HeadPose:
    return values_to_pose(
        np.concatenate([random.normal(0, 0.15, 3), random.uniform(0.3, 0.7, 2), [-1.9]])
    )


@pytest.fixture(scope="module")
def made_clips(shipped: FaceSpace) -> list[FloatArray]:
    """Clips of three faces that move in three known expressions and turn their heads."""
    random = np.random.default_rng(5)
    order = mirror_order(shipped.mean)
    clips = []
    for _ in range(3):
        identity = random.normal(0, 0.03, (478, 3))
        identity = (identity + identity[order] * MIRROR) / 2
        faces = []
        for _ in range(40):
            expression = random.normal(0, (0.12, 0.08, 0.05))
            shape = shipped.mean + identity
            shape = shape + np.einsum("k,knd->nd", expression, shipped.basis[:3])
            faces.append(random_pose(random).apply(shape))
        clips.append(np.array(faces))
    return clips


def test_a_known_space_is_recovered(shipped: FaceSpace, made_clips: Sequence[FloatArray]) -> None:
    learnt = learn_face_space(made_clips, 4)
    seen = coefficients_in(learnt, shipped.basis[:3])[:, :3]
    # Nearly all of each known expression lies in the first three learnt ones.
    assert (np.linalg.norm(seen, axis=1) > 0.97).all()
    assert (learnt.spread[:3] > 0.03).all()
    assert learnt.spread[3] < 0.2 * learnt.spread[2]
    np.testing.assert_allclose(
        normalise(learnt.mean, learnt.weights), normalise(shipped.mean, shipped.weights), atol=0.06
    )


def assert_face_space(space: FaceSpace) -> None:
    """What holds for every face space: orthonormal, centred, of unit size, symmetric."""
    count = len(space.basis)
    np.testing.assert_allclose(coefficients_in(space, space.basis), np.eye(count), atol=1e-4)
    assert space.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(space.weights @ space.mean, 0, atol=1e-6)
    assert space.weights @ (space.mean**2).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (np.diff(space.spread) <= 1e-9).all()
    order = mirror_order(space.mean)
    np.testing.assert_allclose(space.mean[order] * MIRROR, space.mean, atol=0.02)
    # Mirrored, an expression is itself or its opposite.
    mirrored = coefficients_in(space, space.basis[:, order] * MIRROR)
    np.testing.assert_allclose(np.abs(np.diag(mirrored))[:8], 1, atol=0.05)


def test_the_learnt_space_is_symmetric_and_orthonormal(made_clips: Sequence[FloatArray]) -> None:
    assert_face_space(learn_face_space(made_clips, 3))


def test_the_shipped_space_is_symmetric_and_orthonormal(shipped: FaceSpace) -> None:
    assert_face_space(shipped)
    # Straight ahead: eyes level, chin below.
    assert shipped.mean[groups.CHIN, 1] > 0 > shipped.mean[groups.FOREHEAD, 1]
    eyes = shipped.mean[[groups.RIGHT_EYE_OUTER_CORNER, groups.LEFT_EYE_OUTER_CORNER]]
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=0.02)
    assert eyes[0, 0] < 0 < eyes[1, 0]


def test_expressions_are_projected_and_applied(shipped: FaceSpace) -> None:
    wanted = np.random.default_rng(1).normal(0, 0.1, len(shipped.basis))
    shape = shipped.deform(shipped.mean, wanted)
    np.testing.assert_allclose(shipped.expression(shape, shipped.mean), wanted, atol=1e-4)
    few = shipped.deform(shipped.mean, wanted[:2])
    np.testing.assert_allclose(shipped.expression(few, shipped.mean)[2:], 0, atol=1e-4)


def test_mirror_points_are_pairs(shipped: FaceSpace) -> None:
    order = mirror_order(shipped.mean)
    np.testing.assert_array_equal(order[order], np.arange(478))
    assert order[groups.RIGHT_EYE_OUTER_CORNER] == groups.LEFT_EYE_OUTER_CORNER
    assert order[groups.CHIN] == groups.CHIN
    assert order[61] == 291
    for right, left in zip(groups.RIGHT_EYE, groups.LEFT_EYE, strict=True):
        assert order[right] == left


def test_a_shape_without_symmetry_is_refused() -> None:
    with pytest.raises(ModelError, match="symmetric"):
        mirror_order(np.random.default_rng(0).normal(size=(478, 3)))


def test_lips_and_lids_count_more() -> None:
    weights = point_weights()
    assert weights.sum() == pytest.approx(1)
    assert weights[groups.RIGHT_EYE[3]] > weights[groups.LIPS_OUTER[0]] > weights[groups.CHIN]


def test_learning_from_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="no clip"):
        learn_face_space([], 4)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures of the demo clip and one without a face."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    with open_writer(path, RATE) as writer:
        for picture in make_demo_clip(0.12):
            writer.write(picture)
        writer.write(np.full((256, 256, 3), 90, np.uint8))
    return path


def test_landmarks_of_a_clip(clip: Path) -> None:
    landmarks = clip_landmarks(clip)
    assert landmarks.shape == (4, 478, 3)
    assert landmarks.dtype == np.float64
    assert np.isfinite(landmarks[:3]).all()
    assert np.isnan(landmarks[3]).all()
    assert 0.3 < landmarks[0, :, 0].mean() < 0.7


def test_landmarks_are_kept_and_found_again(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracked = clip_landmarks(clip, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1

    def fail() -> None:
        raise AssertionError("tracked again")

    with monkeypatch.context() as patch:
        patch.setattr(clip_landmarks_module, "FaceTracker", fail)
        np.testing.assert_array_equal(clip_landmarks(clip, tmp_path / "cache"), tracked)
        copy = tmp_path / "other name.mkv"
        copy.write_bytes(clip.read_bytes())
        np.testing.assert_array_equal(clip_landmarks(copy, tmp_path / "cache"), tracked)


def claiming(shape: str, dtype: str = "<f4") -> bytes:
    """An array file of a few bytes whose header claims more."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0\x76\0" + header.encode() + bytes(64)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"rubbish" * 50,
        claiming(f"({1 << 40}, 478, 3)"),
        claiming("(4, 4)"),
        claiming("(4,)", "|O"),
    ],
)
def test_a_damaged_cache_is_made_anew(clip: Path, tmp_path: Path, content: bytes) -> None:
    tracked = clip_landmarks(clip, tmp_path)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(content)
    np.testing.assert_array_equal(clip_landmarks(clip, tmp_path), tracked)
    assert np.load(kept).shape == (4, 478, 3)


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("present", [True, False])
def test_what_is_no_video_is_refused(tmp_path: Path, cached: bool, present: bool) -> None:
    path = tmp_path / "clip.mp4"
    if present:
        path.write_text("no video\n" * 100)
    with pytest.raises(ModelError, match=r"clip\.mp4: "):
        clip_landmarks(path, tmp_path / "cache" if cached else None)


def test_the_command_learns_from_clips(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(2)
    base = clip_landmarks(clip)[0]
    tracked = base + random.normal(0, 1e-3, (40, 478, 3))
    monkeypatch.setattr("models.landmarks.fit.clip_landmarks", lambda path, cache: tracked)
    out = tmp_path / "space.safetensors"
    assert main([str(clip), "--out", str(out), "--expressions", "5"]) == 0
    shapes = {name: tensor.shape for name, tensor in load_file(out).items()}
    assert shapes == {"mean": (478, 3), "basis": (5, 478, 3), "weights": (478,), "spread": (5,)}
