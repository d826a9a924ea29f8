"""Axes, ticks, and that plots are XML with all texts escaped."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gfvc.report.charts import Axis, Dot, bits_chart, fitted_axis, rate_quality_chart, short

HOSTILE = "<b>&\"'"


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis("", 0, 10), [0, 2, 4, 6, 8, 10]),
        (Axis("", 0.83, 0.91), [0.84, 0.86, 0.88, 0.9]),
        (Axis("", -3, 1), [-3, -2, -1, 0, 1]),
        (Axis("", 2, 8, logarithmic=True), [2, 3, 4, 5, 6, 7, 8]),
        (Axis("", 1, 100, logarithmic=True), [1, 2, 5, 10, 20, 50, 100]),
        (Axis("", 1e-3, 1e3, logarithmic=True), [1e-3, 1e-2, 0.1, 1, 10, 100, 1000]),
    ],
)
def test_ticks_are_round_and_few(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks() == pytest.approx(ticks)
    assert all(-0.01 <= axis.place(tick) <= 1.01 for tick in axis.ticks())


def test_an_axis_holds_its_values() -> None:
    for values in ([3.0, 7.0], [5.0], [0.0], [-2.0, -2.0], [1e-9, 1e9]):
        for logarithmic in (False, True):
            axis = fitted_axis("x", values, logarithmic=logarithmic)
            assert all(0 < axis.place(value) < 1 for value in values)
            assert len(axis.ticks()) <= 8
    assert not fitted_axis("x", [0.0, 1.0], logarithmic=True).logarithmic
    assert fitted_axis("x", [2.0, 8.0], logarithmic=True).place(4) == pytest.approx(0.5)


def test_better_quality_is_higher_and_texts_are_escaped() -> None:
    curves = {"gfvc mesh": [Dot(1, 30, HOSTILE), Dot(4, 36, "b")], HOSTILE: [Dot(2, 33, "c")]}
    x = fitted_axis(HOSTILE, [1, 4], logarithmic=True)
    series = {name: number for number, name in enumerate(curves)}
    chart = rate_quality_chart(HOSTILE, curves, series, x, fitted_axis("y", [30, 36]))
    root = ElementTree.fromstring(chart)
    assert root.get("aria-label") == HOSTILE
    assert any(text.text == HOSTILE for text in root.iter("text"))
    assert not list(root.iter("b"))
    lines = [line.get("points", "").split() for line in root.iter("polyline")]
    (left, low), (right, high) = (map(float, pair.split(",")) for pair in lines[0])
    assert left < right
    assert low > high  # y grows downwards
    titles = [title.text for title in root.iter("title")]
    assert f"gfvc mesh {HOSTILE}: 1 {HOSTILE}, 30" in titles


def test_bits_over_time() -> None:
    chart = bits_chart("bits", {"gfvc": [5000, 0, 80], "vvenc": [100, 100, 100]}, 25.0)
    first, second = (path for path in ElementTree.fromstring(chart).iter("path"))
    assert (first.get("d") or "").count("H") == 3
    assert "peer" in (second.get("class") or "")
    long = bits_chart("bits", {"gfvc": [7] * 4001}, 25.0)
    steps = next(ElementTree.fromstring(long).iter("path")).get("d") or ""
    assert steps.count("H") == 1334  # groups of three pictures


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345678.0, "12345678"), (0.02246, "0.02246"), (3.0, "3"), (24.567, "24.57")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text
