"""The rate that suits pictures best, by the times they come at."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest

from gfvc.video.even_times import EvenTimes
from gfvc.video.usual_rate import badness, usual_rate

MILLISECOND = Fraction(1, 1000)


def steps_of(times: Sequence[float | Fraction], tick: Fraction = MILLISECOND) -> list[Fraction]:
    """Steps in seconds between times that a file rounds to ticks."""
    stamps = [round(time / tick) for time in times]
    return [(after - before) * tick for before, after in pairwise(stamps)]


def evenly(rate: float | Fraction, count: int, start: float | Fraction = 0) -> list[Fraction]:
    return [Fraction(start) + number / Fraction(rate) for number in range(count)]


def test_what_comes_evenly_is_not_badly_read() -> None:
    steps = [float(step) for step in steps_of(evenly(25, 100))]
    assert badness(steps, Fraction(25)) == pytest.approx(0, abs=1e-9)
    assert badness(steps, Fraction(25, 2)) == pytest.approx(0.5, abs=0.02)  # each other one is lost
    assert 0 < badness(steps, Fraction(50)) < badness(steps, Fraction(60)) < 0.5


def test_the_nearest_of_pictures_that_are_closer_than_a_period_is_shown() -> None:
    even = EvenTimes(0.1)
    times = [0.0, 0.04, 0.11, 0.18, 0.3]
    shown = [even.show(time, following) for time, following in pairwise(times)]
    assert shown == [1, 0, 1, 1]
    assert even.shown == 3


def test_a_video_has_a_picture_however_short_it_is() -> None:
    assert [EvenTimes(0.04).show_last(end) for end in (-0.01, 0.03, 0.041, 0.1)] == [1, 1, 2, 3]
    assert EvenTimes(0.04, shown=3).show_last(0.1) == 0


def test_a_picture_that_stands_for_years_takes_no_longer() -> None:
    """As bytes that are no time stamp may say."""
    even = EvenTimes(0.04)
    assert even.show(0.0, 1e9) == pytest.approx(25e9)
    steps = [Fraction(1, 25)] * 9 + [Fraction(10**17)]
    assert usual_rate(steps, MILLISECOND, Fraction(25), believed=True) is None


@pytest.mark.parametrize("rate", [12, 15, 24, 25, 30, 50, 60, Fraction(24000, 1001)])
@pytest.mark.parametrize("tick", [MILLISECOND, Fraction(1, 600), Fraction(1, 90000)])
def test_gaps_and_lost_pictures_change_nothing(rate: float | Fraction, tick: Fraction) -> None:
    chance = random.Random(float(rate))
    times = evenly(rate, 250)
    gap = times[:100] + evenly(rate, 150, times[100] + 7)
    lost = [time for n, time in enumerate(times) if n in (0, 249) or chance.random() > 0.1]
    for some in (gap, lost):
        average = (len(some) / (some[-1] - some[0])).limit_denominator(1001)
        read = usual_rate(steps_of(some, tick), tick, average, believed=average > 8)
        assert read == pytest.approx(rate, rel=0.002)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rate", [25, 30])
def test_times_that_tremble_where_pictures_are_lost(rate: int, seed: int) -> None:
    """Their average says too little, and so does each step."""
    chance = random.Random(seed)
    times = [time + Fraction(chance.uniform(0, 0.5)) / rate for time in evenly(rate, 200)]
    kept = [time for n, time in enumerate(times) if n in (0, 199) or chance.random() > 0.15]
    average = (len(kept) / (kept[-1] - kept[0])).limit_denominator(1001)
    read = usual_rate(steps_of(kept), MILLISECOND, average, believed=True)
    assert read == pytest.approx(rate, rel=0.02)


@pytest.mark.parametrize(
    ("parts", "best"),
    [
        # No rate is that of most; the higher one loses nothing.
        (((60, 60), (30, 60)), 60),
        (((30, 50), (15, 50)), 30),
        (((30, 50), (24, 50)), 30),
        (((60, 40), (30, 40), (15, 40)), 60),
        # Nobody wants many pictures shown again for a few that are lost.
        (((25, 10), (10, 90)), 10),
    ],
)
def test_of_several_rates_that_is_read_which_loses_least(
    parts: Sequence[tuple[int, int]], best: int
) -> None:
    times: list[Fraction] = []
    for rate, count in parts:
        times += evenly(rate, count, times[-1] + Fraction(1, rate) if times else 0)
    average = (len(times) / times[-1]).limit_denominator(1001)
    read = usual_rate(steps_of(times), MILLISECOND, average, believed=True)
    assert read == pytest.approx(best, rel=0.002)


def test_a_stated_average_that_is_nearly_right_is_kept() -> None:
    steps = steps_of(evenly(30, 200))
    assert usual_rate(steps, MILLISECOND, Fraction(30), believed=True) is None
    assert usual_rate(steps, MILLISECOND, Fraction(3020, 100), believed=True) is None
    assert usual_rate(steps, MILLISECOND, Fraction(31), believed=True) == 30
    assert usual_rate(steps, MILLISECOND, Fraction(1000), believed=False) == 30
    assert usual_rate([], MILLISECOND, Fraction(25), believed=True) is None
