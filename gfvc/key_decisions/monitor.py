"""Deciding on a new key picture, or on ordinary video, by what a receiver sees.

The encoder draws every few pictures as a receiver would (`CHECKS_PER_SECOND`) and measures how good
the face is. What is lost against the best that the key picture gave adds up over time: the debt.
A new key picture is sent when the debt has reached its price, which goes by the size of the last
one, and the face at hand is drawn badly. Renting until the rent has paid for buying never costs
more than twice what one who knew the future would pay (Karlin et al., "Competitive snoopy
caching", Algorithmica 3, 1988). A key picture that gained nothing doubles the price of the next.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from gfvc.grey_pictures import prepare_key
from gfvc.key_decisions.quality import FaceQuality
from gfvc.video_reader import Picture
from models import AnimationModel, FaceParameters, Reference
from models.closable import Closable

CHECKS_PER_SECOND = 5
# Quality times seconds that 1000 bits of a key picture must save.
PRICE = 0.06
# A face is drawn badly when its quality lies this much below the best of its key picture.
MARGIN = 0.10
# Seconds from key picture to key picture at least.
SPACING_SECONDS = Fraction(1)
# Below this, generation shows something else than the source.
FLOOR = 0.45
# How long ordinary video lasts then, in seconds; doubled each time that generation fails again.
SHORTEST_STRETCH_SECONDS = 1
LONGEST_STRETCH_SECONDS = 16
_DEAREST = 8.0


class Verdict(Enum):
    """What to do with the picture at hand."""

    DRIVE = "send its face parameters"
    NEW_KEY = "send it as a key picture"
    GIVE_UP = "send it as ordinary video"


class Debt:
    """What the current key picture costs in quality, against what a new one costs in bits.

    Qualities are at most 1; `seconds` is the time for which a quality stands.
    """

    def __init__(self) -> None:
        self._factor = 1.0
        self._price = math.inf
        self.best = -math.inf
        """The best quality that the reference in use gave."""
        self._debt = 0.0
        self._before = -math.inf  # the quality that the current key picture was to improve
        self._since_key = 0.0

    def key_sent(self, bits: int) -> None:
        """A key picture of so many bits was sent."""
        if self._before > -math.inf and self.best > -math.inf:
            gained = self.best - self._before >= MARGIN / 2
            self._factor = 1.0 if gained else min(2 * self._factor, _DEAREST)
        self._price = PRICE * bits / 1000 * self._factor
        self.best = self._before = -math.inf
        self._debt = self._since_key = 0.0

    def judge(self, quality: float, seconds: float) -> Verdict:
        """What to do with a picture that would be drawn with this quality."""
        fresh = self.best == -math.inf
        self._since_key += seconds
        self.best = max(self.best, quality)
        if quality < FLOOR:
            return Verdict.GIVE_UP if fresh or self.best < FLOOR else Verdict.NEW_KEY
        lost = self.best - quality
        self._debt += lost * seconds
        if lost >= MARGIN and self._debt >= self._price and self._since_key >= SPACING_SECONDS:
            return Verdict.NEW_KEY
        return Verdict.DRIVE

    def improve_on(self, quality: float) -> None:
        """The key picture that is sent next is to do better than this."""
        self._before = quality


@dataclass(slots=True)
class _Key:
    reference: Reference
    best: float = -math.inf


class GenerationMonitor(Closable):
    """Draws pictures as a receiver does, now and then, and says what to do with them.

    Faces are drawn from parameters before quantisation, whose steps are too small to matter here.
    `rate` is in pictures per second; `pool` key pictures may be references.
    """

    def __init__(self, model: AnimationModel, rate: Fraction, pool: int = 1) -> None:
        self._model = model
        self._rate = rate
        self._every = max(1, round(rate / CHECKS_PER_SECOND))
        self._quality = FaceQuality()
        self._debt = Debt()
        self._keys: deque[_Key] = deque(maxlen=pool)  # the last one first
        self._back = 0
        self._active = False
        self._unchecked = 0
        self._stretch_seconds = SHORTEST_STRETCH_SECONDS

    def key_sent(self, decoded: Picture, parameters: FaceParameters, bits: int) -> None:
        """A key picture was sent: as decoded, its parameters, and its size."""
        self._turn_to(0)
        self._keys.appendleft(_Key(prepare_key(self._model, decoded, parameters)))
        self._active = True
        self._debt.key_sent(bits)
        self._unchecked = 0

    def judge(self, picture: Picture, parameters: FaceParameters, back: int = 0) -> Verdict:
        """What to do with a picture that can be driven by these parameters.

        `back` says how many key pictures before the last one its reference lies.
        """
        self._unchecked += 1
        if not self._active or self._unchecked < self._every:
            return Verdict.DRIVE
        self._turn_to(back)
        quality = self._quality.measure(picture, self._keys[back].reference.animate(parameters))
        seconds, self._unchecked = float(self._unchecked / self._rate), 0
        if quality is None:
            return Verdict.DRIVE
        verdict = self._debt.judge(quality, seconds)
        if verdict is Verdict.NEW_KEY:
            self._debt.improve_on(quality)
        elif verdict is Verdict.DRIVE:
            self._stretch_seconds = SHORTEST_STRETCH_SECONDS
        return verdict

    def give_up(self) -> int:
        """Generation has failed: for how many pictures to send ordinary video at least."""
        self._active = False
        pictures = math.ceil(self._stretch_seconds * self._rate)
        self._stretch_seconds = min(2 * self._stretch_seconds, LONGEST_STRETCH_SECONDS)
        return pictures

    def _turn_to(self, back: int) -> None:
        """What is lost is measured against the best that the reference in use gave."""
        if self._keys and back != self._back:
            self._keys[self._back].best = self._debt.best
            self._debt.best = self._keys[back].best
        self._back = back

    def close(self) -> None:
        """Free the tracker."""
        self._quality.close()
