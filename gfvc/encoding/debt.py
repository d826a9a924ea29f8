"""When a key picture is worth its bits, by what a receiver sees.

The encoder draws a picture now and then as a receiver would, and measures how good the face is.
What is lost against the best that the key picture gave adds up over time: the debt. A new key
picture is sent when the debt has reached its price, which goes by the size of the last one, and the
face at hand is drawn badly. Renting until the rent has paid for buying never costs more than twice
what one who knew the future would pay (Karlin et al., "Competitive snoopy caching", Algorithmica 3,
1988). A key picture that gained nothing doubles the price of the next.
"""

from __future__ import annotations

import math
from enum import Enum
from fractions import Fraction

# Quality times seconds that 1000 bits of a key picture must save.
PRICE = 0.06
# A face is drawn badly when its quality lies this much below the best of its key picture.
MARGIN = 0.10
# Seconds from key picture to key picture at least.
SPACING_SECONDS = Fraction(1)
# Below this, generation shows something else than the source.
FLOOR = 0.45
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
