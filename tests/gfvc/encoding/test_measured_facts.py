"""Facts are found out once, when they are asked for, and forgotten with their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.encoding.measured_facts import MeasuredFacts
from tests.golden.scripted import CENTRE, LAYOUTS, VALUES, ScriptedModel, Shown, scripted_base_codec

TURNED = (CENTRE + 240, *(VALUES - 1) * (CENTRE,))
SHOWN = [
    Shown(0),
    Shown(1, face=False),
    Shown(2, survives=False),
    Shown(3, values=TURNED),
    Shown(4, values=TURNED, light=12),
]


@pytest.fixture
def tried() -> Iterator[list[tuple[int, int]]]:
    with scripted_base_codec() as tried:
        yield tried


def facts_of(model: ScriptedModel) -> MeasuredFacts:
    base = BaseLayerCoder("vvc", Fraction(25))
    facts = MeasuredFacts(model, model.open_analyser(), base, SequenceQps(32), Fraction(25))
    for shown in SHOWN:
        facts.add(shown.number, shown.draw())
    return facts


def test_each_fact_is_found_out_once(tried: list[tuple[int, int]]) -> None:
    model = ScriptedModel(LAYOUTS["both"])
    facts = facts_of(model)
    assert model.calls == []
    for _ in range(2):
        assert [facts.shows_face(n) for n in range(5)] == [True, False, True, True, True]
        assert facts.can_be_key(0)
        assert not facts.can_be_key(2)
        assert facts.distance(1, 0) is None
        assert facts.distance(3, 0) == pytest.approx(240 * 0.0013713 * 2.0**8 * 0.213**0.5)
    assert "".join(model.calls) == "FFFFFKKaa"
    assert tried == [(0, 32), (2, 32)]
    assert facts.lost_keys == 1


def test_cuts_are_always_found(tried: list[tuple[int, int]]) -> None:
    facts = facts_of(ScriptedModel(LAYOUTS["both"]))
    assert [facts.is_cut(n) for n in range(5)] == [False] * 4 + [True]


def test_what_is_not_kept_is_gone(tried: list[tuple[int, int]]) -> None:
    facts = facts_of(ScriptedModel(LAYOUTS["both"]))
    for key in (0, 3, 4):
        assert facts.can_be_key(key)
    facts.keep([4], [0])
    assert facts.distance(4, 0) == facts.distance(4, 0)
    # A picture that is held may still become the key picture that it was coded as.
    assert facts.coded_key(4)
    for gone in (lambda: facts.picture(3), lambda: facts.coded_key(3), lambda: facts.is_cut(0)):
        with pytest.raises(KeyError):
            gone()
    facts.keep([], [0])
    with pytest.raises(KeyError):
        facts.distance(4, 0)
    assert facts.coded_key(0)
