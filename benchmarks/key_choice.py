"""Whether the picture that is chosen as key picture is the one to draw others from.

    python -m benchmarks.key_choice CLIP... [--windows N] [--fit]

Of each clip, of square pictures, some half seconds are taken, as they are and spoilt: faded in from
black or from white, blurred as by a camera that finds focus, and with eyes that are shut and open.
Pictures of the two seconds after it are drawn by `mesh` from every picture of the half second, as
it would be shown, and compared: structural similarity of the face, and of its eyes and mouth by
half. Printed are the means for the first picture, for the one that `best` chooses, and for the best
there is. With `--fit`, what each fault costs is fitted to these by least squares.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

import cv2
import numpy as np

from benchmarks.command import command_parser
from gfvc.cli.console import print_table
from gfvc.encoding.key_candidates import (
    LOOK_SECONDS,
    KeyCandidate,
    KeyMeasurer,
    best,
    faults,
)
from gfvc.scaling import reduced
from gfvc.video_reader import read_pictures
from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.points import LEFT_EYE, RIGHT_EYE
from models.landmarks.tracking import FaceTracker
from models.landmarks.values import rest_face
from models.landmarks.warp import LandmarkWarp
from models.metrics.face import face_region, mouth_region
from models.metrics.similarity import ssim_map

RATE = Fraction(25)
SIDE = 256
# Pictures that are drawn from each candidate, of the two seconds after.
DRAWN = (15, 25, 35, 45, 60)
CANDIDATES = math.ceil(LOOK_SECONDS * RATE)
# How much the similarity of the eyes and of the mouth counts beside that of the face.
PART_WEIGHT = 0.5
_LIDS = (
    ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
    ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)),
)

Spoil = Callable[[Picture, FloatArray, int], Picture]
"""Spoils a picture with landmarks [478, 3], the n-th of a half second."""


def _from_black(picture: Picture, landmarks: FloatArray, number: int) -> Picture:
    return np.asarray(picture * min(1.0, 0.1 + number / 10), np.uint8)


def _from_white(picture: Picture, landmarks: FloatArray, number: int) -> Picture:
    return np.asarray(255 - (255 - picture) * min(1.0, 0.1 + number / 10), np.uint8)


def _focus(picture: Picture, landmarks: FloatArray, number: int) -> Picture:
    spread = 4.0 * (1 - number / 10)
    if spread < 0.3:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), spread), np.uint8)


def _blink(picture: Picture, landmarks: FloatArray, number: int) -> Picture:
    shut = float(np.clip(1 - (number - 4) / 3, 0.0, 1.0))
    closed = landmarks.copy()
    for upper, lower in _LIDS:
        gap = landmarks[list(lower)] - landmarks[list(upper)]
        closed[list(upper)] += 0.95 * shut * gap
    return LandmarkWarp(picture, landmarks).draw(closed)


def _as_it_is(picture: Picture, landmarks: FloatArray, number: int) -> Picture:
    return picture


SPOILS: dict[str, Spoil] = {
    "as it is": _as_it_is,
    "from black": _from_black,
    "from white": _from_white,
    "finding focus": _focus,
    "eyes shut": _blink,
}


@dataclass
class Row:
    """Similarities of a kind of half seconds, one for each."""

    kind: str
    first: list[float] = field(default_factory=list)
    chosen: list[float] = field(default_factory=list)
    best: list[float] = field(default_factory=list)


@dataclass
class Fit:
    """Faults [N, kinds] of candidates and the similarities [N] they gave, less their window's."""

    faults: list[FloatArray] = field(default_factory=list)
    lost: list[FloatArray] = field(default_factory=list)


def similarity(source: Picture, drawn: Picture, landmarks: FloatArray) -> float:
    """Structural similarity of the face, and by half of eyes and mouth."""
    size = source.shape[0]
    found = ssim_map(source, drawn)
    face = float(found[face_region(landmarks, size, size)].mean())
    mouth = float(found[mouth_region(landmarks, size, size)].mean())
    points = landmarks[[*RIGHT_EYE, *LEFT_EYE], :2] * size
    left, top = np.clip(points.min(axis=0) - 3, 0, size - 1).astype(int)
    right, bottom = np.clip(points.max(axis=0) + 3, 1, size).astype(int)
    lids = float(found[top:bottom, left:right].mean())
    return (face + PART_WEIGHT * (mouth + lids)) / (1 + 2 * PART_WEIGHT)


class Window:
    """A half second of a clip, and what follows it; None of it without a face."""

    def __init__(self, pictures: Sequence[Picture], tracker: FaceTracker) -> None:
        self.pictures = pictures[:CANDIDATES]
        self.targets = [pictures[n] for n in DRAWN if n < len(pictures)]
        self.landmarks = [tracker.look(picture) for picture in self.pictures]
        self.of_targets = [tracker.look(picture) for picture in self.targets]

    @property
    def whole(self) -> bool:
        """Whether a face was found in each picture."""
        return all(found is not None for found in (*self.landmarks, *self.of_targets))


def compare(
    window: Window, spoil: Spoil, tracker: FaceTracker, measurer: KeyMeasurer
) -> tuple[list[KeyCandidate], FloatArray]:
    """Candidates of a window that was spoilt, and the similarity that each gives."""
    space = shipped_face_space()
    candidates, given = [], []
    for number, (picture, landmarks) in enumerate(
        zip(window.pictures, window.landmarks, strict=True)
    ):
        assert landmarks is not None
        spoilt = spoil(picture, landmarks, number)
        found = tracker.look(spoilt)
        if found is None:
            continue
        candidates.append(measurer.measure(number, spoilt, found))
        face, _ = rest_face(space, found)
        bend = LandmarkWarp(spoilt, found)
        scores = []
        for target, tracked in zip(window.targets, window.of_targets, strict=True):
            assert tracked is not None
            drawn = bend.draw(face.landmarks(space, face.values(space, tracked)))
            scores.append(similarity(target, drawn, tracked))
        given.append(float(np.mean(scores)))
    return candidates, np.array(given)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("key_choice", __doc__, clips=True, raw=True)
    parser.add_argument("--windows", type=int, default=1, metavar="N", help="of each clip (1)")
    parser.add_argument("--fit", action="store_true", help="print what faults cost, as fitted")
    options = parser.parse_args(arguments)
    rows = {kind: Row(kind) for kind in SPOILS}
    fit = Fit()
    measurer = KeyMeasurer()
    with FaceTracker() as tracker:
        for path in options.clips:
            pictures = islice(read_pictures(path, RATE), 75 * options.windows)
            clip = [reduced(picture, SIDE) for picture in pictures]
            for start in range(0, len(clip) - DRAWN[-1], 75):
                window = Window(clip[start:], tracker)
                if not window.whole:
                    continue
                for kind, spoil in SPOILS.items():
                    candidates, given = compare(window, spoil, tracker, measurer)
                    if len(candidates) > 1:
                        _add(rows[kind], fit, candidates, given)
            sys.stderr.write(f"{path.stem}\n")
    _print_rows(list(rows.values()))
    if options.fit:
        _print_fit(fit)


def _add(row: Row, fit: Fit, candidates: list[KeyCandidate], given: FloatArray) -> None:
    chosen = best(candidates, RATE)
    row.first.append(given[0])
    row.chosen.append(given[candidates.index(chosen)])
    row.best.append(given.max())
    found = np.stack(list(faults(candidates, RATE).values()), axis=1)
    fit.faults.append(found - found.mean(axis=0))
    fit.lost.append(given.mean() - given)


def _print_rows(rows: Sequence[Row]) -> None:
    columns = ("half seconds", "number", "first", "chosen", "best there is", "chosen loses, most")
    cells = []
    for row in rows:
        means = [f"{np.mean(values):.4f}" for values in (row.first, row.chosen, row.best)]
        loses = np.max(np.array(row.best) - row.chosen)
        cells.append([row.kind, len(row.first), *means, f"{loses:.4f}"])
    print_table("similarity by the key picture", columns, cells, width=120)


def _print_fit(fit: Fit) -> None:
    from scipy.optimize import nnls

    matrix, lost = np.concatenate(fit.faults), np.concatenate(fit.lost)
    names = list(faults([_NONE, _NONE], RATE))
    weights, _ = nnls(matrix, lost)
    for name, weight in zip(names, weights, strict=True):
        sys.stdout.write(f"{name:<10} {weight:.4f}\n")


_NONE = KeyCandidate(0, 1.0, 1.0, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0)


if __name__ == "__main__":
    main()
