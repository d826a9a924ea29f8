"""The head's pose as BVH."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import gfvc
from gfvc.exporting.head import without_gaps
from models.contract import FloatArray
from models.landmarks.face_space import shipped_face_space, values_to_pose
from models.landmarks.values import UNITS
from tests.gfvc.support import no_notes


def read(path: Path) -> tuple[list[str], float, FloatArray]:
    """Channels, seconds a frame, and the numbers [frames, channels] of a file of one joint."""
    text = path.read_text()
    hierarchy, motion = text.split("MOTION\n")
    words = hierarchy.split()
    assert words[:3] == ["HIERARCHY", "ROOT", "Head"]
    assert words.count("{") == words.count("}") == 2
    place = words.index("CHANNELS")
    count = int(words[place + 1])
    frames, seconds, *rows = motion.splitlines()
    numbers = np.array([[float(word) for word in row.split()] for row in rows])
    assert frames == f"Frames: {len(numbers)}"
    assert numbers.shape[1] == count
    return (
        words[place + 2 : place + 2 + count],
        float(seconds.removeprefix("Frame Time: ")),
        numbers,
    )


def test_rotations_and_places_are_those_of_the_stream(hevc_stream: Path, tmp_path: Path) -> None:
    gfvc.export(hevc_stream, tmp_path / "head.bvh", notes=no_notes)
    gfvc.export(hevc_stream, tmp_path / "head.npz", notes=no_notes)
    channels, seconds, numbers = read(tmp_path / "head.bvh")
    values = np.load(tmp_path / "head.npz")["values"] * UNITS
    assert seconds == pytest.approx(1 / 25)
    assert channels == [
        *("Xposition", "Yposition", "Zposition", "Yrotation", "Xrotation", "Zrotation")
    ]
    # Rotations are multiplied in the order of their channels.
    axes = {"X": (1, 0, 0), "Y": (0, 1, 0), "Z": (0, 0, 1)}
    upright = np.diag([1.0, -1.0, -1.0])
    space = shipped_face_space()
    iris = np.linalg.norm(space.mean[469] - space.mean[471])
    for row, value in zip(numbers, values, strict=True):
        turned = np.eye(3)
        for channel, degrees in zip(channels[3:], row[3:], strict=True):
            about = np.array(axes[channel[0]]) * np.radians(degrees)
            turned = turned @ Rotation.from_rotvec(about).as_matrix()
        pose = values_to_pose(value[:6])
        assert turned == pytest.approx(upright @ pose.rotation @ upright, abs=1e-6)
        # In centimetres, by the 1.17 cm of an iris in the first picture.
        widths = row[:3] / 1.17 * iris * np.exp(values[0, 5])
        assert widths == pytest.approx([value[3] - 0.5, 0.5 - value[4], 0], abs=0.01)


def test_gaps_are_filled_straight_and_ends_are_held() -> None:
    gap = np.nan
    rows = np.array([[gap, gap], [1.0, 5.0], [gap, gap], [gap, gap], [4.0, 2.0], [gap, gap]])
    assert without_gaps(rows).tolist() == [[1, 5], [1, 5], [2, 4], [3, 3], [4, 2], [4, 2]]
    with pytest.raises(ValueError, match="nothing is known"):
        without_gaps(rows[:1])
