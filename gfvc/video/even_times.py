"""Which pictures are shown at even times, and which are not, by when they come."""

from __future__ import annotations

# Pictures that come as they are read, or more rarely, are shown once each, though they be so much
# of a period off: else rounded stamps halfway between two times of reading would now and then show
# one twice, and another not at all.
_OWN, _SLACK = 0.9, 0.2


class EvenTimes:
    """Times at the multiples of `period` seconds, at which pictures are shown one after the other.

    At each the picture is shown that stands then: from half a period before its time, so that
    stamps may tremble or be rounded, to half a period before the next one's, and of those that are
    closer together the nearest. `shown` counts the times that are past.
    """

    def __init__(self, period: float, shown: int = 0) -> None:
        self._period = period
        self.shown = shown

    def end(self, time: float, following: float) -> float:
        """Until when a picture stands, in seconds, whose time is before that of the following."""
        return following - min(following - time, self._period) / 2

    def show(self, time: float, following: float) -> int:
        """How many times such a picture is shown; they are past then."""
        end = self.end(time, following)
        slack = _SLACK * self._period if following - time > _OWN * self._period else 0.0
        before = self.shown
        if before * self._period < end + slack:
            self.shown += 1
            self._pass(end - slack)
        return self.shown - before

    def show_last(self, end: float) -> int:
        """How many times the last picture is shown, which stands until then; one picture is."""
        before = self.shown
        self.shown = max(before, 1)
        self._pass(end)
        return self.shown - before

    def _pass(self, end: float) -> None:
        """Go on to a time, as fast where it is years away, as a wrong time stamp may say."""
        # A division may be off by a rounding, which what is compared must not be.
        self.shown = max(self.shown, int(end / self._period) - 1)
        while self.shown * self._period < end:
            self.shown += 1
