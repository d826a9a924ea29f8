from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract import FloatArray
from models.landmarks.face_space import shipped_face_space, values_to_pose
from models.landmarks.head_angles import head_angles, head_rotations
from models.landmarks.points import CHIN, FOREHEAD

SPACE = shipped_face_space()
NOSE_TIP = 1
angle = st.floats(-80, 80)


def posed(yaw: float = 0, pitch: float = 0, roll: float = 0) -> FloatArray:
    """The average face, turned by angles, in the frame of pictures."""
    rotation = head_rotations(np.array([[yaw, pitch, roll]]))[0]
    return values_to_pose(np.concatenate([rotation, np.zeros(3)])).apply(SPACE.mean)


@given(angle, angle, angle)
def test_there_and_back(yaw: float, pitch: float, roll: float) -> None:
    angles = np.array([[yaw, pitch, roll]])
    assert head_angles(head_rotations(angles)) == pytest.approx(angles, abs=1e-6)


def test_signs_are_those_of_the_page() -> None:
    ahead = posed()
    assert posed(yaw=10)[NOSE_TIP, 0] > ahead[NOSE_TIP, 0], "to the right of the picture"
    assert posed(pitch=10)[NOSE_TIP, 1] > ahead[NOSE_TIP, 1], "down"
    tilted = posed(roll=10)
    assert tilted[FOREHEAD, 0] < tilted[CHIN, 0], "the top of the head to the left"
