"""Edits over time: rows of numbers [n, size] of successive pictures become other rows.

Nothing here knows of streams; times are in seconds from the start of the clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from gfvc.face_edits.controls import PITCH, ROLL, SCALE, YAW, FaceControls, Limited, X, Y
from gfvc.options.editing import FaceEdit
from models.contract import FloatArray
from models.importing import load

_EXPRESSION = frozenset({"expression", "mouth", "open", "eyes", "blink", "smile"})
# In degrees: angles that a rotation vector gives back as they were put in.
_MOST_YAW, _MOST_PITCH = 175.0, 85.0
_POSE = frozenset({"pose", "yaw", "pitch", "roll", "shift", "zoom"})


def strengths(edit: FaceEdit, times: FloatArray) -> FloatArray:
    """How much of an edit there is at each time, 0..1.

    Between `start` and `end` it rises and falls along half a cosine, in `soft` seconds each, or in
    half of the time that it has.

    >>> strengths(FaceEdit(yaw=5, start=1, end=3, soft=1), np.arange(5.0)).tolist()
    [0.0, 0.0, 1.0, 0.0, 0.0]
    """
    strength = np.ones(len(times))
    begin = -np.inf if edit.start is None else edit.start
    end = np.inf if edit.end is None else edit.end
    soft = min(edit.soft, (end - begin) / 2)
    for since, asked in ((times - begin, edit.start), (end - times, edit.end)):
        if asked is not None:
            share = since / soft if soft > 0 else np.where(since >= 0, 1.0, 0.0)
            strength *= (1 - np.cos(np.pi * np.clip(share, 0, 1))) / 2
    return strength


def smoothed(rows: FloatArray, seconds: float, rate: float) -> FloatArray:
    """Rows without what changes faster than in so many seconds; the first and last stay.

    A Gaussian whose standard deviation is half of `seconds`, centred so that nothing comes later,
    over rows that go on beyond both ends as they came from there, turned about the end.
    """
    load("scipy.ndimage")
    from scipy.ndimage import gaussian_filter1d

    deviation = seconds * rate / 2
    margin = min(len(rows) - 1, int(np.ceil(4 * deviation)))
    if not margin:
        return rows
    before = 2 * rows[0] - rows[margin:0:-1]
    after = 2 * rows[-1] - rows[-2 : -margin - 2 : -1]
    extended = np.concatenate([before, rows, after])
    filtered: FloatArray = gaussian_filter1d(extended, deviation, axis=0, truncate=4.0)
    return filtered[margin:-margin]


@dataclass(frozen=True, slots=True)
class UnitRows:
    """Rows [n, size] of successive pictures against one coded picture, and its controls."""

    rows: FloatArray
    controls: FaceControls


def edited(
    rows: FloatArray,
    times: FloatArray,
    edits: Sequence[FaceEdit],
    controls: FaceControls,
    mean_pose: FloatArray,
) -> Limited:
    """The rows of one coded picture's pictures with all edits, as of `edited_units`."""
    return edited_units([UnitRows(rows, controls)], times, edits, mean_pose)[0]


def edited_units(
    units: Sequence[UnitRows],
    times: FloatArray,
    edits: Sequence[FaceEdit],
    mean_pose: FloatArray,
) -> list[Limited]:
    """The rows of access units that follow each other, with all edits, one after the other.

    They stay within limits. `times` are those of all rows, evenly spaced; `mean_pose` [6] is that
    of the clip.
    """
    bounds = list(accumulate((len(each.rows) for each in units), initial=0))
    rows = np.concatenate([each.rows for each in units])
    # Against the first coded picture, so that a filter can go through all.
    offsets = np.concatenate([np.zeros_like(each.rows) + each.controls.offset for each in units])
    current = rows
    for edit in edits:
        strength = strengths(edit, times)[:, None]
        if not strength.any():
            continue
        changed = current
        if edit.smooth and len(rows) > 1:
            rate = 1 / float(times[1] - times[0])
            changed = smoothed(current + offsets, edit.smooth, rate) - offsets
        changed = np.concatenate(
            [
                _changed(changed[start:end], edit, each.controls, mean_pose)
                for each, (start, end) in zip(units, pairwise(bounds), strict=True)
            ]
        )
        current = np.where(strength == 1, changed, current + strength * (changed - current))
    if current is rows:
        return [Limited(each.rows, {}) for each in units]
    return [
        each.controls.limited(each.rows, current[start:end])
        for each, (start, end) in zip(units, pairwise(bounds), strict=True)
    ]


def _changed(
    rows: FloatArray, edit: FaceEdit, controls: FaceControls, mean_pose: FloatArray
) -> FloatArray:
    """The rows with an edit at full strength, but for smoothing."""
    asked = edit.asked.keys()
    if asked & _POSE:
        pose = controls.pose(rows)
        if edit.pose is not None:
            pose = mean_pose + edit.pose * (pose - mean_pose)
        pose[:, YAW] += (edit.yaw or 0) / controls.response.yaw
        pose[:, PITCH] += (edit.pitch or 0) / controls.response.pitch
        # Further round, it is another head that has such a rotation: one that looks back.
        pose[:, YAW] = pose[:, YAW].clip(-_MOST_YAW, _MOST_YAW)
        pose[:, PITCH] = pose[:, PITCH].clip(-_MOST_PITCH, _MOST_PITCH)
        pose[:, ROLL] += edit.roll or 0
        if edit.shift is not None:
            pose[:, [X, Y]] += edit.shift
        if edit.zoom is not None:
            pose[:, SCALE] += np.log(edit.zoom)
        rows = controls.with_pose(rows, pose)
    return controls.with_expression(rows, edit) if asked & _EXPRESSION else rows
