"""Finding and following faces."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.demo_clip import demo_still
from models import FaceTrackerError
from models.contract import FloatArray, Picture
from models.landmarks.points import CHIN, FOREHEAD, LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER
from models.landmarks.tracking import (
    PATIENCE,
    FaceBox,
    FaceFinder,
    FaceTracker,
    _meshes,
    _QuietStderr,
    landmark_box,
    look_at_still,
)
from models.parallel import map_in_order

BLANK = np.full((256, 512, 3), 110, np.uint8)

boxes = st.builds(
    FaceBox,
    st.floats(-100, 100),
    st.floats(-100, 100),
    st.floats(1, 100),
    st.floats(1, 100),
)


def scene(faces: Iterable[tuple[int, int, int]]) -> Picture:
    """Stills of a face in a grey picture 512 wide and 256 high: (left, top, side) each."""
    picture = BLANK.copy()
    for left, top, side in faces:
        still = cv2.resize(demo_still(256), (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = still
    return picture


def column(landmarks: FloatArray | None) -> float:
    """Where a face is in `scene`, in pixels from the left."""
    assert landmarks is not None
    return landmark_box(landmarks, 512, 256).centre[0]


def test_several_threads_find_what_one_finds() -> None:
    """Each has a graph of its own, and none knows what another has seen."""
    pictures = [scene([(left, 20, 200)]) for left in range(0, 300, 30)] + [BLANK]
    one_by_one = [look_at_still(picture) for picture in pictures]
    both = threading.Barrier(2, timeout=10)

    def look(number: int) -> FloatArray | None:
        if number in (0, 1):
            both.wait()
        return look_at_still(pictures[number])

    together = list(map_in_order(look, range(len(pictures)), 2))
    assert one_by_one[-1] is None
    assert together[-1] is None
    for one, other in zip(one_by_one[:-1], together[:-1], strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one, other)


def test_expected_pictures_are_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for those beyond what is remembered: nothing is looked at twice."""
    near, far, blank = scene([(0, 0, 256)]), scene([(256, 20, 200)]), BLANK
    with FaceTracker() as tracker:
        looked_at: list[Picture] = []
        look = tracker._look

        def counted(picture: Picture) -> list[FloatArray]:
            looked_at.append(picture)
            return look(picture)

        monkeypatch.setattr(tracker, "_look", counted)
        tracker.expect(near)
        assert not looked_at  # it would have to be looked at again
        tracker.remember(2)
        for picture in (near, far, blank):
            tracker.expect(picture)
        assert len(looked_at) == 2
        # Who is followed goes by what is tracked, not by what was expected.
        assert column(tracker.track(near)) < 256
        tracker.rewind()
        assert column(tracker.track(far)) > 256
        assert len(looked_at) == 2
        assert tracker.track(blank) is None
        assert len(looked_at) == 3


@given(boxes, boxes)
def test_overlap_is_a_share(one: FaceBox, other: FaceBox) -> None:
    assert 0 <= one.overlap(other) <= 1 + 1e-9
    assert one.overlap(other) == pytest.approx(other.overlap(one))
    assert one.overlap(one) == pytest.approx(1)


def test_overlap_by_hand() -> None:
    assert FaceBox(0, 0, 2, 2).overlap(FaceBox(1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert FaceBox(0, 0, 2, 2).overlap(FaceBox(2, 0, 2, 2)) == 0
    assert FaceBox(0, 0, 4, 4).overlap(FaceBox(1, 1, 2, 2)) == pytest.approx(1 / 4)


def test_landmarks_lie_where_the_face_is() -> None:
    with FaceTracker() as tracker:
        landmarks = tracker.look(demo_still(256))
    assert landmarks is not None
    assert landmarks.shape == (478, 3)
    assert landmarks.dtype == np.float64
    assert 0.2 < landmarks[RIGHT_EYE_OUTER_CORNER, 0] < landmarks[LEFT_EYE_OUTER_CORNER, 0] < 0.8
    assert 0.0 < landmarks[FOREHEAD, 1] < landmarks[CHIN, 1] < 0.9
    box = landmark_box(landmarks, 256, 128)
    np.testing.assert_allclose(box.width / 256, np.ptp(landmarks[:, 0]))
    np.testing.assert_allclose(box.height / 128, np.ptp(landmarks[:, 1]))


def test_the_largest_face_is_taken_first() -> None:
    with FaceTracker() as tracker:
        assert column(tracker.track(scene([(10, 20, 130), (250, 0, 240)]))) > 250
    with FaceTracker() as tracker:
        assert column(tracker.track(scene([(270, 20, 130), (0, 0, 240)]))) < 250


def test_a_face_is_followed_even_if_another_becomes_larger() -> None:
    first, second = scene([(20, 20, 200), (300, 20, 160)]), scene([(30, 20, 160), (280, 10, 220)])
    with FaceTracker() as tracker:
        assert column(tracker.track(first)) < 250
        assert column(tracker.track(second)) < 250
        assert tracker.track(BLANK) is None
        assert column(tracker.track(second)) < 250, "forgotten while it was hidden"
        assert column(tracker.look(second)) > 250
        assert column(tracker.track(first)) > 250, "the face of the still is followed"


class ToldTracker(FaceTracker):
    """Finds the faces that it is told of: left edge and side of each, in pixels of 512 and 256."""

    faces: tuple[tuple[float, float], ...] = ()
    pictures = 0

    def _look(self, picture: Picture) -> list[FloatArray]:
        square = np.zeros((478, 3))
        square[1, :2] = 1.0
        return [
            square * (side / 512, side / 256, 1) + (left / 512, 0, 0) for left, side in self.faces
        ]

    def told(self, *faces: tuple[float, float]) -> float | None:
        """Track a new picture with these faces: the left edge of the followed one."""
        self.faces, self.pictures = faces, self.pictures + 1
        found = self.track(np.full((256, 512, 3), self.pictures, np.uint8))
        return None if found is None else round(float(512 * found[0, 0]), 6)


def test_one_that_is_much_larger_is_followed_instead() -> None:
    with ToldTracker() as tracker:
        assert tracker.told((20, 120), (300, 100)) == 20
        assert tracker.told((20, 120), (290, 200)) == 20
        assert tracker.told((20, 120), (270, 220)) == 270
        assert tracker.told((20, 150), (300, 100)) == 300, "and then followed in turn"


def test_a_bystander_is_taken_only_when_the_face_stays_away() -> None:
    with ToldTracker() as tracker:
        assert tracker.told((0, 230), (330, 100)) == 0
        for _ in range(2 * PATIENCE):
            assert tracker.told((330, 100)) is None
            assert tracker.track(np.full((256, 512, 3), tracker.pictures, np.uint8)) is None
            assert tracker.told((0, 230), (330, 100)) == 0
        found = [tracker.told((330, 100)) for _ in range(PATIENCE + 1)]
        assert found == [None] * PATIENCE + [330]


def test_one_elsewhere_of_about_the_same_size_is_taken_at_once() -> None:
    with ToldTracker() as tracker:
        assert tracker.told((0, 230)) == 0
        assert tracker.told((270, 150)) == 270
        tracker.rewind()
        assert tracker.told((0, 30)) == 0


def test_what_is_no_face_is_not_tracked() -> None:
    both = scene([(0, 0, 240), (300, 40, 160)])
    with FaceTracker(lambda landmarks, _: bool(landmarks[0, 0] > 0.5)) as tracker:
        assert column(tracker.track(both)) > 250
        assert column(tracker.look(both)) < 250, "stills are looked at as a decoder does"


def test_pictures_without_a_face() -> None:
    with FaceTracker() as tracker, FaceFinder() as finder:
        assert tracker.track(BLANK) is None
        assert tracker.look(BLANK) is None
        assert finder.find(BLANK) == []


def test_looking_does_not_depend_on_what_was_seen_before() -> None:
    still = demo_still(256)
    with FaceTracker() as tracker:
        first = tracker.look(still)
        tracker.track(scene([(250, 0, 240)]))
        again = tracker.look(still)
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first, again)


def test_all_faces_are_found_the_largest_first() -> None:
    with FaceFinder() as finder:
        found = finder.find(scene([(10, 20, 130), (250, 0, 240)]))
    assert len(found) == 2
    assert found[0].area > found[1].area
    assert found[0].centre[0] > 250 > found[1].centre[0]
    assert 40 < found[0].width < 240


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
    ],
)
def test_other_arrays_are_refused(picture: Picture) -> None:
    with FaceTracker() as tracker, pytest.raises(ValueError, match=r"uint8 \[height, width, 3\]"):
        tracker.track(picture)


def test_a_view_of_a_picture_is_as_good_as_a_copy() -> None:
    wide = np.concatenate([demo_still(256)] * 2, axis=1)
    with FaceTracker() as tracker:
        seen, copied = tracker.look(wide[:, :256]), tracker.look(wide[:, :256].copy())
    assert seen is not None
    assert copied is not None
    np.testing.assert_array_equal(seen, copied)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setattr(_meshes, "_idle", [])  # none is started yet
    with pytest.raises(FaceTrackerError, match="apt-get"):
        FaceTracker().look(demo_still(64))


LOOKS_AND_PLOTS = """
import sys
import numpy as np
from gfvc.demo_clip import demo_still
from models.landmarks.tracking import FaceTracker
with FaceTracker() as tracker:
    assert tracker.look(np.zeros((64, 64, 3), np.uint8)) is None
    assert tracker.look(demo_still(256)) is not None
assert "matplotlib.pyplot" not in sys.modules
import matplotlib.pyplot
assert matplotlib.pyplot.figure is not None
import mediapipe
assert mediapipe.solutions.drawing_utils.plt.figure is matplotlib.pyplot.figure
print("ok")
"""

IMPORTS_MEANWHILE = """
import sys
from models.landmarks.tracking import _pyplot_when_used
with _pyplot_when_used():
    import matplotlib.pyplot as plt
    assert sys.modules["matplotlib.pyplot"] is plt
    assert "matplotlib.figure" not in sys.modules
    {}
import matplotlib.pyplot
assert matplotlib.pyplot.figure is plt.figure
assert matplotlib.pyplot is not plt
assert sys.modules["matplotlib.pyplot"] is matplotlib.pyplot
print("ok")
"""


def test_tracking_does_not_wait_for_a_plotting_library_and_leaves_it_usable() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOKS_AND_PLOTS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


@pytest.mark.parametrize(
    "use", ["plt.figure", "from matplotlib import pyplot", "import matplotlib.colors", "pass"]
)
def test_who_imports_a_plotting_library_meanwhile_can_plot(use: str) -> None:
    program = IMPORTS_MEANWHILE.format(use)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")


class OnlyWrites:
    """A standard error of a program that keeps its lines itself."""

    def write(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize("stream", [None, OnlyWrites()])
def test_no_standard_error_is_needed(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with FaceTracker() as tracker:
        assert tracker.look(demo_still(128)) is not None


def stderr_file() -> tuple[int, int]:
    """What file descriptor 2 is of."""
    status = os.fstat(2)
    return status.st_dev, status.st_ino


def test_standard_error_comes_back_after_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    before = stderr_file()
    quiet = _QuietStderr()
    with monkeypatch.context() as patched:
        patched.setattr(quiet, "_lead_away", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError), quiet:
            pass
    quiet._inside.add(threading.get_ident())  # as when one comes on the way out
    with quiet:
        assert stderr_file() != before
    assert stderr_file() == before


def test_standard_error_stays_where_the_library_prints_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = stderr_file()
    with FaceTracker() as tracker, FaceFinder() as finder:
        assert tracker.look(demo_still(128)) is not None
        finder.find(BLANK)
        for graph in (*_meshes._idle, *finder._graphs._idle):
            assert graph._graph is not None
            process = graph._graph.process

            def look(picture: Picture, process: Any = process) -> Any:
                assert stderr_file() == before
                return process(picture)

            monkeypatch.setattr(graph._graph, "process", look)
        assert tracker.look(demo_still(256)) is not None
        finder.find(demo_still(256))
    assert stderr_file() == before
