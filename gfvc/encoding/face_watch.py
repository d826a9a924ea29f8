"""Watching who is shown, from picture to picture, so that nobody speaks with another's face."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from gfvc.encoding.scene_changes import SURE_FADE, Fades
from models.contract import FloatArray, Picture
from models.landmarks.appearance import AppearanceReader, FaceAppearance
from models.landmarks.face_space import shipped_face_space
from models.landmarks.points import FACE_POINTS

# Between pictures that follow each other, a face changes by less than this distance; it takes
# up to `SAME_SECONDS` for it to change by `LATER_JUMP`.
JUMP, LATER_JUMP = 0.65, 0.9
SAME_SECONDS = Fraction(1, 8)
# A person who was away for less than this is known again.
KNOWN_SECONDS = 2
# The box of a face overlaps that of the picture before by more than this share of both.
LEAST_OVERLAP = 0.1

# A fade counts as going on for so long after it was last seen.
FADE_HOLD_SECONDS = Fraction(2, 5)
# When it is seen, it started no longer ago than this.
BEFORE_FADE_SECONDS = 1
# Within a fade that changed the face by the first distance, what is seen may be a mixture; from the
# second on it is another face, if there is a fade for sure. Both are of heads that are still: as a
# head turns, or a camera, it looks like a fade for a moment.
MIXED, OTHER_IN_FADE = 0.45, 0.55


@dataclass(frozen=True, slots=True)
class FaceSight:
    """What was seen of the face of a picture.

    `person` numbers those who were seen, from 0 on: what changes at once is another person, or a
    mesh that slipped, and what a fade changes is another too. `mixed` says that the fade goes on.
    """

    appearance: FaceAppearance
    person: int
    mixed: bool = False

    def change(self, key: FaceSight) -> float:
        """How far the face is from being that of a key picture: from 1 on it is another's."""
        change = self.appearance.change(key.appearance)
        return change if self.person == key.person else max(change, 1.0)


@cache
def _shipped_reader() -> AppearanceReader:
    """What it reads by takes a while to find, and is the same for all clips."""
    return AppearanceReader(shipped_face_space())


@dataclass(slots=True)
class _Known:
    person: int
    picture: int
    appearance: FaceAppearance
    box: FloatArray


class FaceWatch:
    """Sees the faces of the pictures of a clip, one after the other, `rate` a second."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._reader = _shipped_reader()
        self._fades = Fades(rate)
        self._sure_fades = Fades(rate, SURE_FADE)
        self._hold = math.ceil(FADE_HOLD_SECONDS * rate)
        self._known: list[_Known] = []  # the one seen last is the last
        self._persons = 0
        self._person = 0  # seen last
        self._picture = -1
        self._last_fade: int | None = None
        self._last_sure_fade: int | None = None
        # Appearances of the last pictures, and the one that a fade started from.
        self._recent: deque[FaceAppearance] = deque(maxlen=math.ceil(BEFORE_FADE_SECONDS * rate))
        self._before_fade: FaceAppearance | None = None
        self._faded = False

    def see(self, picture: Picture, landmarks: FloatArray | None) -> FaceSight | None:
        """See the next picture, square and uint8 RGB; None when it has no landmarks [478, 3]."""
        self._picture += 1
        if self._fades.is_fading(picture):
            self._last_fade = self._picture
        if self._sure_fades.is_fading(picture):
            self._last_sure_fade = self._picture
        fading = self._goes_on(self._last_fade)
        if not fading:
            self._before_fade, self._faded = None, False
        if landmarks is None:
            return None
        appearance = self._reader.read(picture, landmarks)
        box = _box(landmarks)
        person = self._recognise(appearance, box)
        if person != self._person:
            # A cut: what comes is no fade from before it.
            self._recent.clear()
            self._before_fade, self._faded = None, False
        before = self._start_of_fade() if fading else None
        mixed = before is not None and appearance.change_while_still(before, MIXED) >= 1
        if before is not None and not self._faded and self._goes_on(self._last_sure_fade):
            self._faded = appearance.change_while_still(before, OTHER_IN_FADE) >= 1
            if self._faded:
                self._known = []
                person = self._recognise(appearance, box)
        self._recent.append(appearance)
        self._person = person
        return FaceSight(appearance, person, mixed)

    def _goes_on(self, last_fade: int | None) -> bool:
        """Whether a fade that was last seen in a picture goes on."""
        return last_fade is not None and self._picture - last_fade < self._hold

    def _start_of_fade(self) -> FaceAppearance | None:
        """The face before the fade that goes on."""
        if self._before_fade is None and self._recent:
            self._before_fade = self._recent[0]
        return self._before_fade

    def _recognise(self, appearance: FaceAppearance, box: FloatArray) -> int:
        """The number of the person: the one of the picture before, an earlier one, or a new one."""
        longest = KNOWN_SECONDS * self._rate
        self._known = [k for k in self._known if self._picture - k.picture <= longest]
        for known in reversed(self._known):
            away = self._picture - known.picture
            at_once = away == 1 or away <= SAME_SECONDS * self._rate
            jumped = at_once and _overlap(box, known.box) < LEAST_OVERLAP
            if not jumped and appearance.distance(known.appearance) < (
                JUMP if away <= SAME_SECONDS * self._rate else LATER_JUMP
            ):
                self._known.remove(known)
                break
        else:
            known = _Known(self._persons, 0, appearance, box)
            self._persons += 1
        known.picture, known.appearance, known.box = self._picture, appearance, box
        self._known.append(known)
        return known.person


def _box(landmarks: FloatArray) -> FloatArray:
    """Low and high corner [2, 2] of the face, in picture widths."""
    points = landmarks[:FACE_POINTS, :2]
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _overlap(one: FloatArray, other: FloatArray) -> float:
    """Area of the intersection of two boxes over that of the union."""
    shared = np.prod(np.maximum(np.minimum(one[1], other[1]) - np.maximum(one[0], other[0]), 0))
    areas = np.prod(one[1] - one[0]) + np.prod(other[1] - other[0])
    return float(shared / (areas - shared))
