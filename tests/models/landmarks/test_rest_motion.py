"""How much of the rest motion is done, as the head tells it."""

from __future__ import annotations

import numpy as np
import pytest

from models.contract import Float32Array, HeadTrust
from models.landmarks.face_space import shipped_face_space
from models.landmarks.rest_motion import MOST_BEYOND, motion_progress

FAR = 0.2  # picture widths


def head(across: float) -> Float32Array:
    rest = shipped_face_space().mean[:, :2] * 0.14 + 0.4
    return np.asarray(rest + np.array((across, 0.0)), np.float32)


def progress(at: float, position: float, *, way: float = FAR) -> float:
    return motion_progress(head(at), (head(0.0), head(way)), position)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.8, 1.0])
def test_it_is_the_heads_and_not_that_of_time(share: float) -> None:
    assert progress(share * FAR, 0.5) == pytest.approx(share, abs=0.01)


def test_a_head_that_stays_leaves_it_to_time() -> None:
    assert progress(0.0, 0.3, way=0.0) == 0.3


def test_a_head_that_goes_back_first_takes_the_rest_along_but_not_far() -> None:
    assert progress(-0.1 * FAR, 0.2) == pytest.approx(-0.1, abs=0.01)
    assert progress(-5 * FAR, 0.2) == pytest.approx(-MOST_BEYOND)
    assert progress(5 * FAR, 0.8) == pytest.approx(1 + MOST_BEYOND)


def test_a_motion_across_the_way_tells_nothing() -> None:
    keys = head(0.0), head(FAR)
    aside = np.asarray(head(0.5 * FAR) + np.array((0, 0.1)), np.float32)
    assert motion_progress(aside, keys, 0.5) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("position", [0.0, 1.0])
def test_at_a_reference_all_is_as_that_shows_it(position: float) -> None:
    """Also where an edit has put the head elsewhere."""
    assert progress((position + 0.3) * FAR, position) == position
    near = abs(position - 0.01)
    assert abs(progress((near + 0.3) * FAR, near) - position) < 0.05


@pytest.mark.parametrize("shift", [(0.15, 0.0), (-0.15, 0.0), (0.0, 0.15)])
def test_where_some_heads_are_edited_those_far_from_the_way_are_not_believed(
    shift: tuple[float, float],
) -> None:
    """And what was filmed is as if none were, to the last bit."""
    keys = head(0.0), head(FAR / 10)
    near = HeadTrust.NEAR_ITS_WAY
    filmed = np.asarray(head(FAR / 25) + np.array((0, 0.01)), np.float32)
    assert motion_progress(filmed, keys, 0.3, near) == motion_progress(filmed, keys, 0.3)
    edited = np.asarray(filmed + np.array(shift), np.float32)
    assert motion_progress(edited, keys, 0.3, near) == pytest.approx(0.3, abs=1e-6)
    assert motion_progress(filmed, keys, 0.3, HeadTrust.EDITED) == 0.3
