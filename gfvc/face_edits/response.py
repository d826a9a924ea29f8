"""How much of a change in the landmarks a tracker sees in what is drawn from them.

Pictures are bent in their plane, and trackers have learned faces that turn and close their eyes in
space: of a pitch they see two thirds, of eyes that close as much. The encoder makes up for that
when it aligns faces (`models/landmarks/alignment.py`), and so does an edit: a few pictures are
drawn with the change, and the change made larger until what is measured is what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np

from gfvc.face_edits.controls import AS_ASKED, Response
from gfvc.options.editing import FaceEdit
from models.contract import Picture
from models.landmarks.face_space import FaceSpace
from models.landmarks.plausibility import MeshJudge
from models.landmarks.tracking import FaceTracker
from models.metrics.openings import openings

# What is measured is never made up for by more, and a tracker is never believed more.
LEAST, MOST = 0.5, 1.25
_ROUNDS = 2


TRIALS: dict[str, tuple[str, ...]] = {
    "yaw": ("yaw",),
    "pitch": ("pitch",),
    "lids": ("eyes", "blink"),
    "lips": ("open", "mouth"),
}
"""What a response is of: the fields of edits that it is found for."""

TrialDraw = Callable[["FaceEdit | None", Response], "list[Picture]"]
"""Draws a few pictures with an edit, made larger by what a response says."""


class ResponseFinder:
    """Finds the response of pictures to edits."""

    def __init__(self, space: FaceSpace, edits: Sequence[FaceEdit]) -> None:
        self._judge = MeshJudge(space)
        self._trials = {
            name: trial
            for name, asked in TRIALS.items()
            if (trial := _largest(edits, asked)) is not None
        }

    def find(self, draw: TrialDraw) -> Response | None:
        """The mean response of what is drawn; None where the tracker loses a face."""
        with FaceTracker() as tracker:
            before = self._measured(tracker, draw(None, AS_ASKED))
            if before is None:
                return None
            shares: dict[str, float] = {}
            for name, trial in self._trials.items():
                share = 1.0
                for _ in range(_ROUNDS):
                    after = self._measured(tracker, draw(trial, Response(**{name: share})))
                    if after is None:
                        return None
                    wanted = _wanted(trial, before)[name]
                    seen = (after[name] - before[name]) / wanted if wanted else 1.0
                    share = float(np.clip(share * seen, LEAST, MOST))
                shares[name] = share
            return Response(**shares)

    def _measured(
        self, tracker: FaceTracker, pictures: Sequence[Picture]
    ) -> dict[str, float] | None:
        """Means of what is measured in pictures."""
        rows = []
        for picture in pictures:
            landmarks = tracker.look(picture)
            if landmarks is None:
                return None
            mesh, opened = self._judge.measure(landmarks), openings(landmarks)
            # The judge's frame is that of pictures: its yaw has the other sign.
            rows.append((-mesh.yaw, mesh.pitch, opened.lids, opened.lips))
        means = np.mean(rows, axis=0).tolist()
        return dict(zip(("yaw", "pitch", "lids", "lips"), means, strict=True))


def _largest(edits: Sequence[FaceEdit], names: tuple[str, ...]) -> FaceEdit | None:
    """An edit that does the most of what some fields of the edits ask for."""
    trials = [
        FaceEdit(**{name: getattr(each, name) for name in names})
        for each in edits
        if any(name in each.asked for name in names)
    ]
    neutral = dict.fromkeys(("lids", "lips"), 0.1)
    return max(
        trials,
        key=lambda trial: max(map(abs, _wanted(trial, neutral).values())),
        default=None,
    )


def _wanted(edit: FaceEdit, before: dict[str, float]) -> dict[str, float]:
    """The changes that an edit asks for, from what was measured before."""
    eyes = 1.0 if edit.eyes is None else edit.eyes
    mouth = 1.0 if edit.mouth is None else edit.mouth
    return {
        "yaw": edit.yaw or 0.0,
        "pitch": edit.pitch or 0.0,
        "lids": (eyes * (1 - (edit.blink or 0.0)) - 1) * before["lids"],
        "lips": max(0.0, mouth * before["lips"] + (edit.open or 0.0)) - before["lips"],
    }


def mean_response(responses: Sequence[Response]) -> Response:
    """The mean of several; 1 without any."""
    if not responses:
        return AS_ASKED
    names = [each.name for each in fields(Response)]
    return Response(
        **{name: float(np.mean([getattr(each, name) for each in responses])) for name in names}
    )
