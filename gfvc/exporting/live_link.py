"""Motion as CSV in the layout that the Live Link Face app writes.

A row a picture: Timecode, BlendShapeCount (61), the 52 shapes of ARKit, then yaw, pitch and roll of
head, left and right eye in radians. What nothing is known of is 0.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np

from gfvc.exporting.arkit import SHAPES, blendshapes
from gfvc.exporting.head import without_gaps
from gfvc.exporting.motion import HeadMotion
from models.landmarks.head_angles import head_angles

_ANGLES = ("Yaw", "Pitch", "Roll")
ROTATIONS = tuple(f"{part}{angle}" for part in ("Head", "LeftEye", "RightEye") for angle in _ANGLES)
HEADER = ("Timecode", "BlendShapeCount", *SHAPES, *ROTATIONS)

_HEAD = slice(len(SHAPES), len(SHAPES) + len(_ANGLES))


def write_live_link(path: Path, head: HeadMotion, rate: Fraction) -> None:
    """Write the motion of a head at so many pictures a second.

    Pictures of which nothing is known lie on a straight line between those around them.
    """
    rows = np.zeros((len(head.pose), len(SHAPES) + len(ROTATIONS)))
    if head.measures.shape[1]:
        for name, values in blendshapes(head.measures).items():
            rows[:, SHAPES.index(name)] = without_gaps(values[:, None])[:, 0]
    # Angles of neighbours go the short way round: a head that is tracked looks ahead.
    rows[:, _HEAD] = np.radians(head_angles(without_gaps(head.pose)[:, :3]))
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for picture, row in enumerate(rows):
            numbers = [f"{value:.6f}" for value in row]
            writer.writerow([timecode(picture, rate), len(row), *numbers])


def timecode(picture: int, rate: Fraction) -> str:
    """When a picture is shown: hours, minutes, seconds, and frames with thousandths of them.

    Frames are those of the nearest whole rate, so that seconds are true at any rate.

    >>> timecode(26, Fraction(25))
    '00:00:01:01.000'
    >>> timecode(30, Fraction(30000, 1001))
    '00:00:01:00.030'
    """
    per_second = max(1, round(rate))
    whole, rest = divmod(round(picture / rate * per_second * 1000), per_second * 1000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    frames, parts = divmod(rest, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}:{frames:02}.{parts:03}"
