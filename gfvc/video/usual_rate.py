"""At what rate pictures are best read that do not come evenly, or not as stated.

At any rate, some of them may be left out, shown again or shown at another time. The rate is best at
which this is least. Those that the times suggest are tried: their mean, what is usual from one
picture to the next, and where that is nothing, rates that are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import log2
from statistics import median, median_high

from gfvc.video.even_times import EvenTimes

# How bad it is, against leaving a picture out: to show one too early or late by the usual step; to
# show one twice, and as much more each time its share doubles, where it stands no whole number of
# periods, and where it does.
_OFF, _AGAIN, _WHOLE_AGAIN = 0.4, 0.15, 0.1
# Rounded stamps are so much of a period off.
_WHOLE = 0.1
# After so many usual steps without a picture, times may be counted anew.
_GAP = 4

# Steps are looked at in so many places among them, by their length. Rarer ones are not usual.
_PLACES = 10
# Equal ones differ by no more than this share, or by a tick, unless one is half a step and more: in
# a clock of 25 Hz a lost picture of 25 a second makes no more than a tick.
_EQUAL, _COARSE = Fraction(1, 50), Fraction(1, 2)
# Times tremble where fewer of the steps are equal to others.
_MOST = Fraction(3, 5)
# Steps of one rate that tremble, or of film on 60 fields, differ by less than this factor; a lost
# picture makes twice the step.
_JITTER = Fraction(9, 5)
# What cameras make. Where times tremble and pictures are lost, no steps say it.
_KNOWN = (
    *map(Fraction, (10, 12, 15, 20)),
    Fraction(24000, 1001),
    *map(Fraction, (24, 25)),
    Fraction(30000, 1001),
    *map(Fraction, (30, 50)),
    Fraction(60000, 1001),
    Fraction(60),
)

# By how much clocks of cameras are off, and averages that are stated.
_TREMBLES = Fraction(1, 100)
# What is not better than a stated average by so much is not taken, but for the mean of all: where
# times tremble, one of several is better by chance.
_BETTER = 0.05


def usual_rate(
    steps: Sequence[Fraction], tick: Fraction, average: Fraction, *, believed: bool
) -> Fraction | None:
    """The rate at which pictures are read best, where that is another than the average, or None.

    `steps` are seconds from picture to picture, 0 or more, in a clock of so many seconds a `tick`.
    An average that is not `believed` gives way to any other rate.
    """
    steps = [step for step in steps if step]
    if not steps:
        return None
    seconds = list(map(float, steps))
    stated = badness(seconds, average) if believed else float("inf")
    best, least = average, stated
    mean, *others = _suggested(steps, tick)
    for rate in (mean, *others):
        bad = badness(seconds, rate)
        if bad < least and (rate == mean or bad < stated - _BETTER):
            best, least = rate, bad
    is_other = abs(best - average) > _TREMBLES * average or not believed
    return best if is_other else None


def badness(steps: Sequence[float], rate: Fraction) -> float:
    """How badly pictures are read at a rate that are so many seconds apart, from 0 on.

    1 stands for all of them left out.
    """
    period = float(1 / rate)
    usual = median(steps)
    even = EvenTimes(period)
    late: list[float] = []
    time, bad, off = 0.0, 0.0, 0.0
    for step in steps:
        shown_at = even.shown * period
        times = even.show(time, time + step)
        if times:
            late.append(shown_at - time)
            is_whole = abs(step / period - round(step / period)) < _WHOLE
            bad += (_WHOLE_AGAIN if is_whole else _AGAIN) * log2(times)
        else:
            bad += 1
        if step > _GAP * usual:
            off += _off_their_middle(late)
            late = []
        time += step
    off += _off_their_middle(late)
    return (bad + _OFF * off / usual) / len(steps)


def unrounded(step: Fraction, off: Fraction) -> Fraction:
    """The rate of a step in seconds that is not known to so many."""
    rate = 1 / step
    likely = (Fraction(round(rate)), Fraction(round(rate * 1001 / 1000) * 1000, 1001))
    nearest = min(likely, key=lambda known: abs(known - rate))
    if nearest and abs(1 / nearest - step) <= min(off, _TREMBLES * step):
        return nearest
    return rate.limit_denominator(1001) or rate


def _suggested(steps: Sequence[Fraction], tick: Fraction) -> list[Fraction]:
    """Rates to try, each once, the mean of all first."""
    ordered = sorted(steps)
    rates = [_mean_rate(steps, _off_even_times(steps) / len(steps))]
    usual_ones: set[int] = set()
    for number in range(_PLACES):
        step = ordered[len(ordered) * (2 * number + 1) // (2 * _PLACES)]
        allowed = max(_EQUAL * step, tick if tick <= _COARSE * step else Fraction(0))
        equal = [place for place, other in enumerate(ordered) if abs(other - step) <= allowed]
        if len(equal) * _PLACES >= len(steps):
            usual_ones.update(equal)
            rates.append(_mean_rate([ordered[place] for place in equal], tick / 20))
    if len(usual_ones) < _MOST * len(steps):
        middle = median_high(steps)
        alike = [step for step in ordered if middle < _JITTER * step < _JITTER**2 * middle]
        rates += [_mean_rate(alike, tick / 20), *_KNOWN]
    return list(dict.fromkeys(rates))


def _mean_rate(steps: Sequence[Fraction], off: Fraction) -> Fraction:
    """The rate of steps whose mean is not known to so many seconds."""
    return unrounded(sum(steps, Fraction(0)) / len(steps), off)


def _off_even_times(steps: Sequence[Fraction]) -> Fraction:
    """How far pictures are from even times: seconds from the earliest to the latest of them."""
    mean = sum(steps, Fraction(0)) / len(steps)
    ahead = list(accumulate(step - mean for step in steps))
    return max(ahead) - min(ahead)


def _off_their_middle(values: Sequence[float]) -> float:
    """The sum of how far values are from the middle one."""
    middle = median(values) if values else 0.0
    return sum(abs(value - middle) for value in values)
