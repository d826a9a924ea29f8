"""Finding settings for a bitrate, with made rates in place of an encoder's."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_codec_adapters import MAX_QP, Codec
from gfvc.options.encoding import DEFAULT_KEY_QP, DEFAULT_MULTIPLIER, QUALITIES, EncodeOptions
from gfvc.rate_control.ladder import (
    Coding,
    RateSettings,
    all_coded_qp,
    default_step,
    grid_multiplier,
    ladder,
    quality_settings,
    settings_asked_for,
)
from gfvc.rate_control.search import MAX_TRIALS, TOLERANCE, Measured, find_settings

STEPS = ladder(Coding("vvc"))
START = default_step(Coding("vvc"))
CODECS: tuple[Codec, ...] = ("vvc", "hevc")

Rate = Callable[[RateSettings], "float | None"]


def made_rate(key: float, symbols: float) -> Callable[[RateSettings], float]:
    """Kbit/s that fall with the settings as real ones do; `key` and `symbols` at the defaults."""

    def rate(settings: RateSettings) -> float:
        steps = settings.key_qp - DEFAULT_KEY_QP
        return key * math.pow(2, -steps / 6) + symbols * math.pow(
            settings.symbol_price / DEFAULT_MULTIPLIER, -0.35
        )

    return rate


class Counted:
    """A rate that notes what it was asked; `lost_keys` says how many key pictures are lost."""

    def __init__(self, rate: Rate, lost_keys: Callable[[RateSettings], int] | None = None) -> None:
        self._rate = rate
        self._lost_keys = lost_keys
        self.asked: list[RateSettings] = []

    def __call__(self, settings: RateSettings) -> Measured | None:
        self.asked.append(settings)
        rate = self._rate(settings)
        lost = 0 if self._lost_keys is None else self._lost_keys(settings)
        return None if rate is None else Measured(rate, lost)


@pytest.mark.parametrize("codec", CODECS)
def test_the_ladder_falls_and_holds_the_defaults(codec: Codec) -> None:
    steps = ladder(Coding(codec))
    assert steps[default_step(Coding(codec))] == RateSettings(DEFAULT_KEY_QP, DEFAULT_MULTIPLIER)
    assert all(0 <= step.key_qp <= MAX_QP[codec] for step in steps)
    assert [s.key_qp for s in steps] == sorted({s.key_qp for s in steps})
    assert [s.symbol_price for s in steps] == sorted({s.symbol_price for s in steps})


@pytest.mark.parametrize("codec", CODECS)
def test_the_options_of_a_step_ask_for_it(codec: Codec) -> None:
    """So that a search can be left out when a clip is encoded once more."""
    for step in ladder(Coding(codec, predicted=True)):
        options = EncodeOptions(
            key_pictures="auto",
            key_qp=step.key_qp,
            symbol_price=step.symbol_price,
            coded_qp=step.coded_qp,
        )
        assert settings_asked_for(options, Coding(codec, predicted=True)) == step
        assert step.arguments.startswith(f"--key-qp {step.key_qp} --symbol-price ")
        assert step.arguments.endswith(f" --coded-qp {step.coded_qp}")


def test_faces_of_whole_pictures_are_no_further_off_where_bits_are_few() -> None:
    squares, whole = (Coding("vvc", True, is_whole) for is_whole in (False, True))
    assert quality_settings("low", squares).symbol_price == 4 * DEFAULT_MULTIPLIER
    assert quality_settings("low", whole).symbol_price == DEFAULT_MULTIPLIER
    for quality in ("medium", "high", "best"):
        assert quality_settings(quality, whole) == quality_settings(quality, squares)
    options = EncodeOptions(symbol_price=0.3, key_qp=40)
    assert settings_asked_for(options, whole).symbol_price == 0.3


@pytest.mark.parametrize("codec", CODECS)
def test_presets_are_steps_of_the_ladder(codec: Codec) -> None:
    steps = ladder(Coding(codec))
    places = [steps.index(quality_settings(quality, Coding(codec))) for quality in QUALITIES]
    assert QUALITIES == ("low", "medium", "high", "best")
    assert places == sorted(places, reverse=True)
    assert places[1] == default_step(Coding(codec))


@given(key=st.floats(0.05, 20), symbols=st.floats(0.05, 5), settings=st.sampled_from(STEPS[1:-1]))
def test_a_rate_of_the_ladder_is_met_in_few_trials(
    key: float, symbols: float, settings: RateSettings
) -> None:
    rate = made_rate(key, symbols)
    target = 1.03 * rate(settings)
    measure = Counted(rate)
    best = find_settings(target, STEPS, START, measure)
    assert best is not None
    assert abs(best.rate / target - 1) <= TOLERANCE
    assert rate(best.settings) == best.rate
    assert len(measure.asked) <= 8


@pytest.mark.parametrize("share", [1 / 30, 30])
def test_out_of_reach_the_nearest_comes_back(share: float) -> None:
    rate = made_rate(1.0, 1.0)
    measure = Counted(rate)
    best = find_settings(2.0 * share, STEPS, START, measure)
    assert best is not None
    end = STEPS[-1] if share < 1 else STEPS[0]
    factor = 16 if share < 1 else 1 / 16
    assert best.settings.key_qp == end.key_qp
    assert best.settings.symbol_price == pytest.approx(end.symbol_price * factor)
    assert len(measure.asked) <= MAX_TRIALS


def test_nothing_is_tried_again_once_a_rate_is_near() -> None:
    measure = Counted(made_rate(1.0, 1.0))
    best = find_settings(2.0, STEPS, START, measure)
    assert best is not None
    assert measure.asked == [STEPS[START]]


def test_where_the_multiplier_does_not_matter_only_steps_are_tried() -> None:
    measure = Counted(made_rate(3.0, 0.0))
    best = find_settings(2.0, STEPS, START, measure, multiplier_matters=False)
    assert best is not None
    assert set(measure.asked) <= set(STEPS)
    assert abs(math.log2(best.rate / 2.0)) <= 1 / 12


def test_a_multiplier_that_changes_nothing_is_moved_once() -> None:
    """As where all pictures are coded; here two steps of the QP lie around the target."""
    measure = Counted(made_rate(5.0, 0.0))
    found = find_settings(5.0 * math.pow(2, 1 / 12), STEPS, START, measure)
    assert found is not None
    assert len({settings.key_qp for settings in measure.asked}) >= len(measure.asked) - 2


@pytest.mark.parametrize("codec", CODECS)
def test_all_coded_pictures_get_coarser_one_by_one(codec: Codec) -> None:
    """So that their rate falls by no more than that of one step, and never rises."""
    qps = [all_coded_qp(step, codec) for step in ladder(Coding(codec, predicted=True))]
    assert {after - before for before, after in pairwise(qps)} == {0, 1}
    default = ladder(Coding(codec, predicted=True))[default_step(Coding(codec, predicted=True))]
    assert default.coded_qp is not None
    assert all_coded_qp(default, codec) == default.coded_qp + 2
    coarsest = RateSettings(MAX_QP[codec], 1.0, coded_qp=MAX_QP[codec])
    assert all_coded_qp(coarsest, codec) == MAX_QP[codec]


def test_control_grids_pay_sooner_in_whole_pictures() -> None:
    """They have more beside the face; and a bit of a grid never costs more than some most."""
    face, whole = (
        Coding("vvc", predicted=True, whole_pictures=is_whole) for is_whole in (False, True)
    )
    prices = [
        (grid_multiplier(step, face), grid_multiplier(step, whole))
        for step in ladder(Coding("vvc", predicted=True))
    ]
    assert all(2 * of_whole == pytest.approx(of_face) for of_face, of_whole in prices)
    assert prices == sorted(prices)
    assert prices[-1] == pytest.approx((0.04, 0.02))


def test_key_pictures_too_coarse_to_use_are_left_out() -> None:
    rate = made_rate(1.0, 1.0)
    measure = Counted(lambda s: rate(s) if s.key_qp <= 34 else None)
    best = find_settings(1.3, STEPS, START, measure)
    assert best is not None
    assert best.settings.key_qp <= 34
    assert abs(best.rate / 1.3 - 1) <= TOLERANCE


def test_none_when_nothing_can_be_coded() -> None:
    measure = Counted(lambda s: None)
    assert find_settings(1.0, STEPS, START, measure) is None
    assert len(measure.asked) <= MAX_TRIALS


def test_a_rate_that_rises_again_ends_the_ladder() -> None:
    """Coarse key pictures that lose the face are replaced by ordinary video, which is large."""
    rate = made_rate(1.0, 1.0)
    measure = Counted(lambda s: rate(s) if s.key_qp <= 36 else 9.0)
    best = find_settings(1.45, STEPS, START, measure)
    assert best is not None
    assert abs(best.rate / 1.45 - 1) <= TOLERANCE
    assert best.settings.key_qp <= 36


def test_ordinary_video_below_the_first_rate_is_no_end_either() -> None:
    """It takes less than the default step, but more than the steps just before it."""
    rate = made_rate(3.0, 3.0)
    lost = Counted(lambda s: 5.5 if s.key_qp > 43 else rate(s), lambda s: 3 if s.key_qp > 43 else 0)
    found = find_settings(0.1, STEPS, START, lost)
    assert found is not None
    last = next(step for step in STEPS if step.key_qp == 43)
    assert found.settings.key_qp == 43
    assert found.rate == rate(found.settings) <= rate(last)
    assert len(lost.asked) <= MAX_TRIALS
    between = 1.02 * rate(next(step for step in STEPS if step.key_qp == 41))
    found = find_settings(between, STEPS, START, lost)
    assert found is not None
    assert abs(found.rate / between - 1) <= TOLERANCE


@pytest.mark.parametrize("lost_from", [33, 36, 40, 45])
def test_where_only_lost_key_pictures_meet_a_rate_they_do(lost_from: int) -> None:
    """One of some is lost, and what takes its place gets coarser as all does."""
    plain = made_rate(3.0, 0.0)

    def rate(settings: RateSettings) -> float:
        return plain(settings) * (1.4 if settings.key_qp >= lost_from else 1.0)

    measure = Counted(rate, lambda s: 1 if s.key_qp >= lost_from else 0)
    target = 1.02 * rate(next(step for step in STEPS if step.key_qp == 47))
    found = find_settings(target, STEPS, START, measure)
    assert found is not None
    assert abs(found.rate / target - 1) <= TOLERANCE
    assert len(measure.asked) <= MAX_TRIALS
