"""The settings that meet a bitrate, in few trials.

Rate falls along the ladder, and at a step it falls as the Lagrangian multiplier rises. Steps are
searched first, by bisection with the next step guessed from the rates so far, then the multiplier
at the step that came nearest. Rates and multipliers are compared by their logarithms throughout.

Where key pictures are so coarse that they lose the face, ordinary video takes their place, and more
bits than faces do. So a step that loses more key pictures than finer ones, and still takes too many
bits, ends the ladder at first. Only where that leaves the target out of reach, steps beyond are
tried.
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


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of settings: kbit/s, and how many coded key pictures showed no face."""

    rate: float
    lost_keys: int = 0


RateOf = Callable[[RateSettings], "Measured | None"]
"""Codes with the settings; None where the key pictures are too coarse to be used."""


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
            if search.off > _NEAR_ENOUGH and not search.multiplier_is_idle:
                search.along_multipliers(trial)
    if search.off > TOLERANCE:
        search.beyond_lost_keys(steps)
    return min(search.trials, key=search.distance, default=None)


class _Search:
    def __init__(self, target: float, measure: RateOf) -> None:
        self._target = target
        self._measure = measure
        self._left = MAX_TRIALS
        self.off = math.inf  # how far the best rate is from the target, as a share of it
        self.trials: list[Trial] = []
        self.multiplier_is_idle = False  # not even a great change of it changes the rate
        self._steps: dict[int, float] = {}  # the excess of those that were tried
        self._first_to_lose: int | None = None

    def distance(self, trial: Trial) -> float:
        return abs(self._excess(trial.rate))

    @property
    def _over(self) -> bool:
        """Whether there is nothing left to do."""
        return self._left <= 0 or self.off <= _NEAR

    def _excess(self, rate: float) -> float:
        """Logarithm of a rate over the target."""
        return math.log(rate / self._target)

    def _try(self, settings: RateSettings) -> Measured | None:
        """What comes of the settings; None where the key pictures are too coarse."""
        self._left -= 1
        measured = self._measure(settings)
        if measured is not None:
            self.trials.append(Trial(settings, measured.rate))
            self.off = min(self.off, abs(measured.rate / self._target - 1))
        return measured

    def along_steps(self, steps: Sequence[RateSettings], start: int) -> None:
        """Close in on the two steps between whose rates the target lies, or on an end."""
        bracket = _Bracket(-1, len(steps), _SLOPE_OF_STEPS)
        position = float(start)
        lost_before: int | None = None  # at the lower end of the bracket
        while not self._over:
            step = bracket.inside(round(position))
            if step is None:
                return
            measured = self._try(steps[step])
            if measured is None:
                position = bracket.too_coarse(step)
                continue
            excess = self._steps[step] = self._excess(measured.rate)
            if lost_before is not None and excess > 0 and measured.lost_keys > lost_before:
                self._first_to_lose = step
                position = bracket.too_coarse(step)
            elif bracket.rises_to(excess):
                position = bracket.too_coarse(step)
            else:
                position = bracket.add(step, excess)
                if excess > 0:
                    lost_before = measured.lost_keys

    def beyond_lost_keys(self, steps: Sequence[RateSettings]) -> None:
        """Close in on a step of those at which more key pictures are lost, if there are any."""
        if self._first_to_lose is None:
            return
        bracket = _Bracket(-1, len(steps), _SLOPE_OF_STEPS)
        for step, excess in sorted(self._steps.items()):
            if step >= self._first_to_lose:
                position = bracket.add(step, excess)
        while not self._over:
            tried = bracket.inside(round(position))
            if tried is None:
                return
            measured = self._try(steps[tried])
            if measured is None:
                position = bracket.too_coarse(tried)
            else:
                position = bracket.add(tried, self._excess(measured.rate))

    def along_multipliers(self, at: Trial) -> None:
        """Close in on the multiplier that meets the target with the key pictures of a trial."""
        settings = at.settings
        centre, reach = math.log(settings.symbol_price), math.log(_MULTIPLIER_REACH)
        ends = centre - reach, centre + reach
        bracket = _Bracket(*ends, _SLOPE_OF_MULTIPLIER)
        position = bracket.add(centre, self._excess(at.rate))
        while not self._over:
            tried = min(max(position, ends[0]), ends[1])
            measured = self._try(replace(settings, symbol_price=math.exp(tried)))
            if measured is None:
                return
            if measured.rate == at.rate:
                # It changes nothing where all pictures are coded, and little in short clips.
                self.multiplier_is_idle = tried in ends
                if tried in ends or self.off <= TOLERANCE:
                    return
                position = ends[0] if self._excess(at.rate) < 0 else ends[1]
                continue
            position = bracket.add(tried, self._excess(measured.rate))
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
        self._ends_too_coarse = False

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
            self.high, self._at_high, self._ends_too_coarse = position, excess, False
        if self._at_low is not None and self._at_high is not None:
            share = self._at_low / (self._at_low - self._at_high)
            # Not too near to an end: rates are no straight line.
            return self.low + (self.high - self.low) * min(max(share, 0.1), 0.9)
        ahead = position - excess / self._slope
        if self._ends_too_coarse:
            # It is not known how near to the end the last that can be used is.
            return min(ahead, (self.low + self.high) / 2)
        return ahead

    def rises_to(self, excess: float) -> bool:
        """Whether an excess inside the bracket is clearly more than that at its lower end."""
        return self._at_low is not None and excess > self._at_low + _NEAR

    def too_coarse(self, position: float) -> float:
        """Take a position that cannot be used, nor any above; where to look next."""
        self.high, self._at_high, self._ends_too_coarse = position, None, True
        return (self.low + position) / 2

    def inside(self, step: int) -> int | None:
        """The whole position nearest to `step` that was not tried; None when there is none."""
        first, last = math.floor(self.low) + 1, math.ceil(self.high) - 1
        return min(max(step, first), last) if first <= last else None
