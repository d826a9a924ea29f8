"""When a key picture is worth its bits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gfvc.encoding.debt import FLOOR, MARGIN, PRICE, Debt, Verdict

STEP = 0.2
BITS = 10_000


def run(debt: Debt, qualities: Sequence[float]) -> list[Verdict]:
    return [debt.judge(quality, STEP) for quality in qualities]


def after_key(bits: int = BITS) -> Debt:
    debt = Debt()
    debt.key_sent(bits)
    return debt


def first_key(debt: Debt, quality: float, steps: int = 200) -> int | None:
    """After how many checks a key picture is sent, when quality falls from 0.9 and stays."""
    verdicts = run(debt, [0.9, *[quality] * steps])
    return verdicts.index(Verdict.NEW_KEY) if Verdict.NEW_KEY in verdicts else None


def test_a_key_picture_comes_when_its_price_is_paid() -> None:
    price = PRICE * BITS / 1000
    assert first_key(after_key(), 0.7) == pytest.approx(price / 0.2 / STEP, abs=1)
    slow, fast = first_key(after_key(), 0.75), first_key(after_key(), 0.6)
    assert slow is not None
    assert fast is not None
    assert fast < slow
    cheap, dear = first_key(after_key(BITS // 2), 0.7), first_key(after_key(2 * BITS), 0.7)
    assert cheap is not None
    assert dear is not None
    assert dear == pytest.approx(4 * cheap, abs=4)


def test_a_small_loss_is_never_worth_it() -> None:
    assert first_key(after_key(), 0.9 - MARGIN / 2) is None


def test_a_debt_does_not_buy_while_the_face_is_drawn_well() -> None:
    debt = after_key()
    # Turned away in short moments, which add up; the key picture comes in such a moment.
    verdicts = run(debt, [0.9, 0.88, 0.65] * 20)
    assert verdicts.index(Verdict.NEW_KEY) % 3 == 2


def test_key_pictures_keep_a_distance() -> None:
    assert first_key(after_key(100), 0.5) == 4


def test_a_key_picture_that_gains_nothing_makes_the_next_dearer() -> None:
    debt = after_key()
    first = first_key(debt, 0.7)
    debt.improve_on(0.89)
    debt.judge(0.9, STEP)
    debt.key_sent(BITS)
    second = first_key(debt, 0.7)
    debt.improve_on(0.7)
    debt.key_sent(BITS)
    assert first is not None
    assert second is not None
    assert second == pytest.approx(2 * first, abs=2)


def test_a_face_that_no_key_picture_helps_is_given_up() -> None:
    debt = after_key()
    assert run(debt, [0.8, FLOOR - 0.1]) == [Verdict.DRIVE, Verdict.NEW_KEY]
    debt.key_sent(BITS)
    assert run(debt, [FLOOR - 0.1]) == [Verdict.GIVE_UP]
