from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from models.errors import FaceTrackerError
from models.landmarks.second_tracker import FaceAlignmentTracker

PICTURE = np.zeros((64, 64, 3), np.uint8)


def face(size: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return (np.random.default_rng(0).random((68, 2)) * size).astype(np.float32)


def install(monkeypatch: pytest.MonkeyPatch, faces: object, error: Exception | None = None) -> None:
    """Stand in for the package, whose weights come from the web."""

    def build(landmarks_type: str, *, device: str, flip_input: bool) -> SimpleNamespace:
        assert (landmarks_type, device, flip_input) == ("2d", "cpu", False)
        if error is not None:
            raise error
        return SimpleNamespace(get_landmarks_from_image=lambda picture: faces)

    package = SimpleNamespace(FaceAlignment=build, LandmarksType=SimpleNamespace(TWO_D="2d"))
    monkeypatch.setitem(sys.modules, "face_alignment", package)


def test_the_largest_face_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, [face(10), face(40), face(20)])
    found = FaceAlignmentTracker().look(PICTURE)
    assert found is not None
    np.testing.assert_allclose(found, face(40))


@pytest.mark.parametrize("faces", [None, []])
def test_no_face(monkeypatch: pytest.MonkeyPatch, faces: object) -> None:
    install(monkeypatch, faces)
    assert FaceAlignmentTracker().look(PICTURE) is None


def test_missing_weights_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, [], OSError("<urlopen error>"))
    with pytest.raises(FaceTrackerError, match="weights"):
        FaceAlignmentTracker()


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(FaceTrackerError, match=r"gfvc\[face-alignment\]"):
        FaceAlignmentTracker()


def test_landmarks_of_another_shape_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, [np.zeros((98, 2), np.float32)])
    with pytest.raises(FaceTrackerError, match="shape"):
        FaceAlignmentTracker().look(PICTURE)
