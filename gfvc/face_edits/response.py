"""How much of a change in the landmarks a tracker sees in what is drawn from them.

Pictures are bent in their plane, and trackers have learned faces that turn and close their eyes in
space: of a pitch they see two thirds, and little of a closing eye until it is nearly shut. The
encoder makes up for that when it aligns faces (`models/landmarks/alignment.py`), and so does an
edit: a few pictures are drawn with the change, and the change made larger until what is measured is
what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gfvc.face_edits.controls import AS_ASKED, Response
from gfvc.options.editing import FaceEdit
from models.contract import FloatArray, Picture
from models.landmarks.face_space import FaceSpace
from models.landmarks.plausibility import MeshJudge
from models.landmarks.ranges import FACING
from models.landmarks.tracking import FaceTracker
from models.metrics.openings import openings

# What is measured is never made up for by more, and a tracker is never believed more.
LEAST, MOST = 0.5, 1.25
_ROUNDS = 3


TRIALS: dict[str, tuple[str, ...]] = {
    "yaw": ("yaw",),
    "pitch": ("pitch",),
    "lids": ("eyes", "blink"),
    "lips": ("open", "mouth"),
}
"""What a response is of: the fields of edits that it is found for."""

TrialDraw = Callable[["FaceEdit | None", Response], tuple[list[Picture], npt.NDArray[np.bool_]]]
"""Draws a few pictures with an edit, made larger by what a response says; and tells in which of
them nothing was held back."""

_MEASURES = ("yaw", "pitch", "lids", "lips")


class ResponseFinder:
    """Finds the response of pictures to edits: those of one access unit after the other."""

    def __init__(self, space: FaceSpace, edits: Sequence[FaceEdit]) -> None:
        self._judge = MeshJudge(space)
        self._trials = {
            name: trial
            for name, asked in TRIALS.items()
            if (trial := _largest(edits, asked)) is not None
        }
        self._found: dict[str, list[tuple[float, float]]] = {name: [] for name in self._trials}

    def look(self, draw: TrialDraw) -> None:
        """Look at pictures as they are and with trials.

        Those in which the tracker sees no face, or one that is turned further than training saw,
        or something was held back, do not count; and none where all are held back when the change
        is made larger.
        """
        with FaceTracker() as tracker:
            before = self._measured(tracker, draw(None, AS_ASKED)[0])
            facing = (np.abs(before[:, :2]) <= FACING).all(axis=1)
            for name, trial in self._trials.items():
                number = _MEASURES.index(name)
                wanted = _wanted(trial, before)[name]
                curve = [(0.0, 0.0)]
                larger = 1.0
                for _ in range(_ROUNDS):
                    pictures, as_asked = draw(trial, Response(**{name: 1 / larger}))
                    change = self._measured(tracker, pictures)[:, number] - before[:, number]
                    counts = facing & as_asked & np.isfinite(change) & (wanted != 0)
                    weight = float(np.abs(wanted[counts]).sum())
                    if weight == 0:
                        break
                    curve.append((larger, float(change[counts].sum() / wanted[counts].sum())))
                    larger = _large_enough(curve)
                self._found[name].append((1 / larger, weight))

    def response(self) -> Response:
        """The mean response of all that was looked at; as asked where nothing counts.

        A picture counts by how much is wanted in it: eyes that blink say little of closing them.
        """
        return Response(**{name: _mean(seen) for name, seen in self._found.items() if seen})

    def _measured(self, tracker: FaceTracker, pictures: Sequence[Picture]) -> FloatArray:
        """What is measured in pictures [n, 4]; NaN without a face."""
        rows = np.full((len(pictures), len(_MEASURES)), np.nan)
        for row, picture in zip(rows, pictures, strict=True):
            landmarks = tracker.look(picture)
            if landmarks is not None:
                mesh, opened = self._judge.measure(landmarks), openings(landmarks)
                # The judge's frame is that of pictures: its yaw has the other sign.
                row[:] = -mesh.yaw, mesh.pitch, opened.lids, opened.lips
        return rows


def _large_enough(curve: Sequence[tuple[float, float]]) -> float:
    """How much larger a change must be for all of it to be measured.

    `curve` has by how much it was larger, and what share was measured then: lines between these
    are followed. Eyes half closed count little until they are nearly shut, so a share of what was
    measured once does not do.
    """
    points = sorted(curve)
    for (low, less), (high, more) in pairwise(points):
        if less < 1 <= more:
            found = low + (high - low) * (1 - less) / (more - less)
            break
    else:
        found = points[-1][0] / max(points[-1][1], LEAST)
    return min(max(found, 1 / MOST), 1 / LEAST)


def _mean(seen: Sequence[tuple[float, float]]) -> float:
    """The mean of shares with their weights; 1 where none has any."""
    shares, weights = np.array(seen).T
    return float(np.average(shares, weights=weights)) if weights.any() else 1.0


def _largest(edits: Sequence[FaceEdit], names: tuple[str, ...]) -> FaceEdit | None:
    """An edit that does the most of what some fields of the edits ask for."""
    trials = [
        FaceEdit(**{name: getattr(each, name) for name in names})
        for each in edits
        if any(name in each.asked for name in names)
    ]
    neutral = np.full((1, len(_MEASURES)), 0.1)
    return max(
        trials,
        key=lambda trial: max(float(np.abs(each[0])) for each in _wanted(trial, neutral).values()),
        default=None,
    )


def _wanted(edit: FaceEdit, before: FloatArray) -> dict[str, FloatArray]:
    """The changes [n] that an edit asks for, from what was measured before [n, 4]."""
    eyes = 1.0 if edit.eyes is None else edit.eyes
    mouth = 1.0 if edit.mouth is None else edit.mouth
    *_, lids, lips = before.T
    return {
        "yaw": np.full(len(before), edit.yaw or 0.0),
        "pitch": np.full(len(before), edit.pitch or 0.0),
        "lids": (eyes * (1 - (edit.blink or 0.0)) - 1) * lids,
        "lips": np.maximum(0.0, mouth * lips + (edit.open or 0.0)) - lips,
    }
