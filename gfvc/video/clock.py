"""Time stamps of a video, made to run on where they jump."""

from __future__ import annotations

from typing import Protocol

from gfvc.errors import InputError

MAX_STILL_SECONDS = 30.0
"""How long a picture may be shown, in seconds, before its time stamps are taken for wrong.

Not while there is sound, which goes on meanwhile.
"""

# Time stamps of sloppy files tremble; those of another recording start anew.
_BACKWARDS_SECONDS = 0.25
# A picture that is said to be shown for a smaller share of the time till the next one is not.
_WHOLE = 0.75
# How far a clip may go on after its stated end.
_OVER_SECONDS = 1.0


class WithEnd(Protocol):
    """The sound of a file, or its pictures."""

    @property
    def end(self) -> float:
        """When it ends, in seconds; minus infinity where there is none."""
        ...


class Clock:
    """Gives each picture its time, in seconds from the first.

    Stamps are believed as long as each picture comes at most `MAX_STILL_SECONDS` after the one
    before, or after the end of the sound, and by the stated end, `seconds`, if there is one, or
    that of the `pictures`. `sound` and these say where that is, by the file's stamps; they are
    asked when it matters. A picture that comes later is shown one `period` after the one before,
    and so much less is what follows; if only the one stamp was wrong, the old count goes on. So
    what a file asks for is bounded by the pictures and the sound that it holds, and a stamp cannot
    make a clip endless.
    """

    def __init__(
        self, period: float, seconds: float | None, label: str, sound: WithEnd, pictures: WithEnd
    ) -> None:
        self._period = period
        self._end = float("inf") if seconds is None else seconds + _OVER_SECONDS
        self._label = label
        self._sound = sound
        self._pictures = pictures
        self._first: float | None = None
        self._last: float | None = None
        self._left_out = 0.0
        self._left_out_before = 0.0
        self._gaps = 0
        self._stays_too_long = False
        self._said: float | None = None  # how long the last picture is shown
        self._too_short = 0  # how often that was less than till the next, less how often it was not

    @property
    def gaps(self) -> int:
        """How often something was left out so far."""
        return self._gaps + self._stays_too_long

    def time(self, stamp: float) -> float:
        """The time of the next picture; raise `InputError` where stamps go back for good."""
        if self._first is None or self._last is None:
            self._first, self._last = stamp, 0.0
            return 0.0
        stamp -= self._first
        time = stamp - self._left_out
        before = stamp - self._left_out_before
        if self._is_late(time, stamp):
            self._left_out_before = self._left_out
            self._left_out += time - self._last - self._period
            self._gaps += 1
            time = self._last + self._period
        elif time < self._last and before > self._last and not self._is_late(before, stamp):
            # A lone wrong stamp was behind the gap.
            self._left_out = self._left_out_before
            time = before
        elif time < self._last - _BACKWARDS_SECONDS:
            raise InputError(
                f"{self._label}: its clock goes back from {self._last:.2f} s to {time:.2f} s, as "
                "in files joined byte by byte; join them with a video program"
            )
        if self._said is not None:
            self._too_short += 1 if self._said < _WHOLE * (time - self._last) else -1
        self._last = max(self._last, time)
        return time

    def stays(self, seconds: float | None) -> float:
        """How long the last picture is shown, given what the file says."""
        self._stays_too_long = (
            seconds is not None
            and seconds > MAX_STILL_SECONDS
            and not self._is_heard((self._last or 0.0) + self._left_out + seconds)
        )
        self._said = seconds
        if seconds is None or seconds <= 0 or self._stays_too_long:
            return self._period
        # Some files state the period of a finer clock, or of fields.
        return max(seconds, self._period) if self._too_short > 0 else seconds

    def _is_late(self, time: float, stamp: float) -> bool:
        assert self._last is not None
        if time - self._last > MAX_STILL_SECONDS and not self._is_heard(stamp):
            return True
        if stamp <= self._end or time - self._last <= _OVER_SECONDS:
            return False
        return (self._first or 0.0) + stamp > self._pictures.end + _OVER_SECONDS

    def _is_heard(self, stamp: float) -> bool:
        """Whether there is sound up to a stamp, counted from the first, or nearly so."""
        return (self._first or 0.0) + stamp <= self._sound.end + MAX_STILL_SECONDS
