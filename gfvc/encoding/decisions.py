"""What the planner decides about pictures, and what it rests on: facts about them, and settings.

A picture is known by its number in the clip, from 0 on. Nothing is decided here, but in
`planner`. What is sent of faces is decided in `gfvc.symbol_decisions`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from gfvc.options.encoding import FallbackPolicy

# Without an interval there is a key picture every 30 s, so that access units stay bounded and
# seeking works.
AUTOMATIC_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Key:
    """A key picture."""

    picture: int


@dataclass(frozen=True, slots=True)
class Driven:
    """Drawn from its face parameters and the key picture of a number."""

    picture: int
    key: int


@dataclass(frozen=True, slots=True)
class Still:
    """Shows no face: the face of the picture before stands still, drawn from the same key picture.

    Where that is a later picture, the face stands still before it moves for the first time.
    """

    picture: int
    key: int


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary video, shown as coded; `starts` a sequence of it, which decoding can start at."""

    picture: int
    starts: bool


Decision = Key | Driven | Still | Ordinary


class Facts(Protocol):
    """What is asked about pictures that are held back or at hand; answers may take long to find.

    Key pictures are the last ones, as many as the pool holds, and pictures that can be key
    pictures, whether that is decided already or not. How like another picture one is may be asked
    of the last one that was driven, too.
    """

    def is_cut(self, picture: int) -> bool:
        """Whether a new scene starts with it."""

    def shows_face(self, picture: int) -> bool:
        """Whether it shows a face that a key picture can be made of."""

    def can_be_key(self, picture: int) -> bool:
        """Whether a picture with a face still shows it when it is coded as key picture."""

    def distance(self, picture: int, key: int) -> float | None:
        """How far its face lies from that of a key picture; None when it does not show that face.

        In hundredths of the distance of the eyes.
        """

    def is_like(self, picture: int, other: int) -> bool:
        """Whether one may stand for the other, but for what moves a little."""

    def is_lit_like(self, picture: int, other: int) -> bool:
        """Whether brightness and contrast are about the same, as they are not within a fade."""

    def best_key(self, pictures: Sequence[int]) -> int:
        """Which of successive pictures with a face is the best to draw the others from."""


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What to plan for.

    `rate` is in pictures per second. A key picture comes `key_interval` pictures after the last one
    at most (None: 30 s). `pool` key pictures may drive a picture, `longest_unit` pictures belong to
    one of them before references cannot change any more, and a sequence of ordinary video has
    `longest_sequence` pictures at most (None: as from key picture to key picture). A key picture
    is the best of `look_ahead` pictures and one; those before it are drawn from it, too.
    """

    rate: Fraction
    key_interval: int | None = None
    fallback: FallbackPolicy = "auto"
    pool: int = 1
    longest_unit: int | None = None
    longest_sequence: int | None = None
    look_ahead: int = 0

    def pictures(self, seconds: Fraction | int) -> int:
        """Whole pictures that a time takes at least."""
        return math.ceil(seconds * self.rate)

    @property
    def interval(self) -> int:
        """Pictures from key picture to key picture."""
        return self.key_interval or self.pictures(AUTOMATIC_SECONDS)
