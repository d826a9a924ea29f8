"""When to send a key picture."""

from __future__ import annotations

import math
from fractions import Fraction

AUTOMATIC_SECONDS = 30
# A face missed for less than this is a blink of the tracker, not a new scene.
LOST_SECONDS = Fraction(1, 5)
# After a coded key picture in which no face was found, wait before paying for another.
RETRY_SECONDS = Fraction(1, 2)


class KeyPictureSchedule:
    """Decides, picture by picture, whether the next picture with a face is a key picture.

    A key picture is due at first, after the face was lost for a while and found again, and
    `interval` pictures after the last one. `rate` is in pictures per second; without `interval`
    it is 30 s, so that access units stay bounded and seeking works.
    """

    def __init__(self, rate: Fraction, interval: int | None = None) -> None:
        self._interval = interval or math.ceil(AUTOMATIC_SECONDS * rate)
        self._lost_for_long = math.ceil(LOST_SECONDS * rate)
        self.retry_after = math.ceil(RETRY_SECONDS * rate)
        self._since_key: int | None = None
        self._lost = 0
        self._wait = 0

    def due(self) -> bool:
        """Whether the picture at hand should become a key picture if it shows a face."""
        if self._wait:
            return False
        if self._since_key is None:
            return True
        return self._since_key >= self._interval or self._lost >= self._lost_for_long

    def key_sent(self) -> None:
        """The picture at hand was sent as a key picture."""
        self._since_key = 1
        self._lost = 0
        self._wait = 0

    def restart(self) -> None:
        """What was sent before does not count any more: a key picture is due."""
        self._since_key = None
        self._lost = 0
        self._wait = 0

    def key_failed(self) -> None:
        """The picture at hand was tried, but its decoded form shows no face."""
        self._wait = self.retry_after

    def driven(self, *, face: bool) -> None:
        """The picture at hand was sent as a driven picture, or skipped before the first key."""
        if self._since_key is not None:
            self._since_key += 1
        self._wait = max(self._wait - 1, 0)
        if not face:
            self._lost += 1
        elif self._lost < self._lost_for_long:
            self._lost = 0
