"""The settings that meet a bitrate, in few trials.

Rate falls along the ladder, and at a step it falls as the Lagrangian multiplier rises. Steps are
searched first, by bisection with the next step guessed from the rates so far, then the multiplier
at the step that came nearest. Rates and multipliers are compared by their logarithms throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gfvc.rate_control.ladder import RateSettings

TOLERANCE = 0.05
"""How far a rate may be off its target, as a share of it."""

# What is this near needs no better; what is nearly as near, no search for a better multiplier.
_NEAR, _NEAR_ENOUGH = 0.015, 0.03
MAX_TRIALS = 12
# The multiplier is moved up to so many times over, and as far below, what the ladder has.
_MULTIPLIER_REACH = 16.0
# What to expect before two rates are known: how the logarithm of the rate falls with a step, and
# with the logarithm of the multiplier.
_SLOPE_OF_STEPS = -0.12
_SLOPE_OF_MULTIPLIER = -0.3

RateOf = Callable[[RateSettings], "float | None"]
"""Codes with the settings: kbit/s, or None where the key pictures are too coarse to be used."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings that were tried, and the kbit/s that came out."""

    settings: RateSettings
    rate: float


def find_settings(
    target: float,
    steps: Sequence[RateSettings],
    start: int,
    measure: RateOf,
    *,
    multiplier_matters: bool = True,
) -> Trial | None:
    """The trial whose rate came nearest to `target` kbit/s; None when nothing could be coded.

    `steps` have falling rates, `start` is the index of the first one to try; `multiplier_matters`
    says whether the multiplier changes the rate at all. The caller compares the rate
    with `TOLERANCE`: a target may be out of reach.
    """
    search = _Search(target, measure)
    search.along_steps(steps, start)
    if multiplier_matters:
        for trial in sorted(search.trials, key=search.distance)[:2]:
            if search.off > _NEAR_ENOUGH:
                search.along_multipliers(trial)
    return min(search.trials, key=search.distance, default=None)


class _Search:
    def __init__(self, target: float, measure: RateOf) -> None:
        self._target = target
        self._measure = measure
        self._left = MAX_TRIALS
        self.off = math.inf  # how far the best rate is from the target, as a share of it
        self.trials: list[Trial] = []

    def distance(self, trial: Trial) -> float:
        return abs(self._excess(trial.rate))

    @property
    def _over(self) -> bool:
        """Whether there is nothing left to do."""
        return self._left <= 0 or self.off <= _NEAR

    def _excess(self, rate: float) -> float:
        """Logarithm of a rate over the target."""
        return math.log(rate / self._target)

    def _try(self, settings: RateSettings) -> float | None:
        """The excess of the settings; None where the key pictures are too coarse."""
        self._left -= 1
        rate = self._measure(settings)
        if rate is None:
            return None
        self.trials.append(Trial(settings, rate))
        self.off = min(self.off, abs(rate / self._target - 1))
        return self._excess(rate)

    def along_steps(self, steps: Sequence[RateSettings], start: int) -> None:
        """Close in on the two steps between whose rates the target lies, or on an end."""
        bracket = _Bracket(-1, len(steps), _SLOPE_OF_STEPS)
        position = float(start)
        while not self._over:
            step = bracket.inside(round(position))
            if step is None:
                return
            excess = self._try(steps[step])
            # Very coarse key pictures lose the face, and then ordinary video makes the rate rise.
            if excess is None or bracket.rises_to(excess):
                position = bracket.too_coarse(step)
            else:
                position = bracket.add(step, excess)

    def along_multipliers(self, at: Trial) -> None:
        """Close in on the multiplier that meets the target with the key pictures of a trial."""
        settings = at.settings
        centre, reach = math.log(settings.symbol_price), math.log(_MULTIPLIER_REACH)
        ends = centre - reach, centre + reach
        bracket = _Bracket(*ends, _SLOPE_OF_MULTIPLIER)
        position = bracket.add(centre, self._excess(at.rate))
        while not self._over:
            tried = min(max(position, ends[0]), ends[1])
            excess = self._try(replace(settings, symbol_price=math.exp(tried)))
            # It changes nothing where all pictures are coded.
            if excess is None or excess == self._excess(at.rate):
                return
            position = bracket.add(tried, excess)
            if tried in ends and not bracket.closed:
                return


class _Bracket:
    """Between `low`, where the rate is too high, and `high`, where it is too low."""

    def __init__(self, low: float, high: float, slope: float) -> None:
        self.low, self.high = low, high
        self._slope = slope
        self._at_low: float | None = None  # excess there, where it is known
        self._at_high: float | None = None
        self._last: tuple[float, float] | None = None

    @property
    def closed(self) -> bool:
        """Whether both ends were measured."""
        return self._at_low is not None and self._at_high is not None

    def add(self, position: float, excess: float) -> float:
        """Take a measured excess; where to look next."""
        if self._last is not None and (rise := excess - self._last[1]):
            slope = rise / (position - self._last[0])
            # What one wrong rate says must not send the search away, or make it stand still.
            self._slope = min(max(slope, 3 * self._slope), self._slope / 3)
        self._last = position, excess
        if excess > 0:
            self.low, self._at_low = position, excess
        else:
            self.high, self._at_high = position, excess
        if self._at_low is not None and self._at_high is not None:
            share = self._at_low / (self._at_low - self._at_high)
            # Not too near to an end: rates are no straight line.
            return self.low + (self.high - self.low) * min(max(share, 0.1), 0.9)
        return position - excess / self._slope

    def rises_to(self, excess: float) -> bool:
        """Whether an excess inside the bracket is clearly more than that at its lower end."""
        return self._at_low is not None and excess > self._at_low + _NEAR

    def too_coarse(self, position: float) -> float:
        """Take a position that cannot be used, nor any above; where to look next."""
        self.high, self._at_high = position, None
        return (self.low + position) / 2

    def inside(self, step: int) -> int | None:
        """The whole position nearest to `step` that was not tried; None when there is none."""
        first, last = math.floor(self.low) + 1, math.ceil(self.high) - 1
        return min(max(step, first), last) if first <= last else None
