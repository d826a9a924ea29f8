"""Small plots as inline SVG, coloured by the page's style sheet so that they follow its theme.

Not drawn by matplotlib, as the plots of `gfvc bench` are: its SVG has colours and no classes, so it
would stay light on a dark page, its marks cannot say under the pointer what they stand for, and a
chart takes ten times the bytes. Every text goes through `Markup.format`, which escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 10, 22, 36
WIDE = 760
SERIES = 8
"""Colours that the style sheet has; further curves begin anew."""

_TICKS = 6
_LEAST_OF_LOGARITHM = 1e-12  # of the largest value; a smaller one leaves nothing to be seen
_MAX_STEPS = 1500  # of a curve over time; more are averaged in groups

Series = Mapping[str, int]
"""The number of each curve of a page, which gives its colour and marker."""

_MARKERS = ("circle", "square", "triangle", "diamond")


@dataclass(frozen=True, slots=True)
class Dot:
    """A point of a curve, and what it is called."""

    x: float
    y: float
    name: str


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its label, its range of values, and whether it is logarithmic."""

    label: str
    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1 of the axis."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values on the axis, few enough to be read."""
        return self._log_ticks() if self.logarithmic else self._linear_ticks()

    def _linear_ticks(self) -> list[float]:
        rough = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]

    def _log_ticks(self) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        ticks: list[float] = []
        for factors in (range(1, 10), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
            ticks = [
                factor * 10.0**power
                for power in powers
                for factor in factors
                if self.low * 0.999 <= factor * 10.0**power <= self.high * 1.001
            ]
            if len(ticks) <= _TICKS + 1:
                return ticks
        return ticks[:: -(-len(ticks) // _TICKS)]


def fitted_axis(label: str, values: Sequence[float], *, logarithmic: bool = False) -> Axis:
    """An axis that holds some values with a little room; logarithmic if all are well above 0."""
    low, high = min(values), max(values)
    if logarithmic and low > _LEAST_OF_LOGARITHM * high:
        room = max((high / low) ** 0.06, 1.05)
        return Axis(label, low / room, high * room, logarithmic=True)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return Axis(label, low - room, high + room)


def rate_quality_chart(
    title: str, curves: Mapping[str, Sequence[Dot]], series: Series, x: Axis, y: Axis
) -> Markup:
    """Curves of dots joined by lines; `series` gives their colours, "gfvc" full lines."""
    parts = [_frame(title, WIDTH, x, y)]
    place = _placer(WIDTH, x, y)
    for name, dots in curves.items():
        number = series[name]
        places = [place(dot.x, dot.y) for dot in dots]
        parts.append(
            Markup('<polyline class="line s{}{}" points="{}"/>').format(
                number % SERIES,
                "" if name.startswith("gfvc") else " peer",
                " ".join(f"{a:.1f},{b:.1f}" for a, b in places),
            )
        )
        for dot, (a, b) in zip(dots, places, strict=True):
            tip = f"{name} {dot.name}: {short(dot.x)} {x.label}, {short(dot.y)}"
            parts.append(_marker(number, a, b, tip))
    return _svg(title, WIDTH, parts)


def swatch(number: int, *, is_peer: bool) -> Markup:
    """The line and marker of a curve, for a legend."""
    return Markup(
        '<svg class="swatch" viewBox="0 0 36 12" width="36" height="12" aria-hidden="true">'
        '<line class="line s{}{}" x1="1" y1="6" x2="35" y2="6"/>{}</svg>'
    ).format(number % SERIES, " peer" if is_peer else "", _marker(number, 18, 6, ""))


def bits_chart(title: str, curves: Mapping[str, Sequence[int]], rate: float) -> Markup:
    """Bits of each picture over time in seconds, one step line for each name."""
    grouped = {name: _grouped(bits) for name, bits in curves.items()}
    pictures = max(len(bits) for bits in curves.values())
    # A logarithm needs something above 0: pictures of no bits lie on the lower edge.
    values = [max(value, 1.0) for bits, _ in grouped.values() for value in bits]
    x = Axis("seconds", 0.0, pictures / rate)
    y = fitted_axis("bits", values, logarithmic=True)
    place = _placer(WIDE, x, y)
    parts = [_frame(title, WIDE, x, y)]
    for number, (name, (bits, group)) in enumerate(grouped.items()):
        path: list[str] = []
        for index, value in enumerate(bits):
            left, height = place(index * group / rate, max(value, 1.0))
            right, _ = place(min((index + 1) * group, pictures) / rate, 1.0)
            path.append(f"{'L' if path else 'M'}{left:.1f} {height:.1f}H{right:.1f}")
        parts.append(
            Markup('<path class="steps s{}{}" d="{}"><title>{}</title></path>').format(
                number, "" if name.startswith("gfvc") else " peer", "".join(path), name
            )
        )
    return _svg(title, WIDE, parts)


def _grouped(bits: Sequence[int]) -> tuple[list[float], int]:
    """Means of groups of pictures, and how many are in a group."""
    size = -(-len(bits) // _MAX_STEPS)
    groups = [bits[start : start + size] for start in range(0, len(bits), size)]
    return [sum(group) / len(group) for group in groups], size


def short(value: float) -> str:
    """A number in four digits, never in exponents where it need not be."""
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e9 else text


def _placer(width: int, x: Axis, y: Axis) -> Callable[[float, float], tuple[float, float]]:
    def place(a: float, b: float) -> tuple[float, float]:
        return (
            _LEFT + x.place(a) * (width - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - y.place(b) * (HEIGHT - _TOP - _BOTTOM),
        )

    return place


def _frame(title: str, width: int, x: Axis, y: Axis) -> Markup:
    place = _placer(width, x, y)
    bottom, right = HEIGHT - _BOTTOM, width - _RIGHT
    parts = [Markup("<title>{}</title>").format(title)]
    for tick in x.ticks():
        at, _ = place(tick, y.low)
        parts.append(
            Markup(
                '<line class="grid" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>'
                '<text class="tick" x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
            ).format(at, _TOP, bottom, bottom + 14, short(tick))
        )
    for tick in y.ticks():
        _, at = place(x.low, tick)
        parts.append(
            Markup(
                '<line class="grid" x1="{1}" y1="{0:.1f}" x2="{2}" y2="{0:.1f}"/>'
                '<text class="tick" x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
            ).format(at, _LEFT, right, _LEFT - 5, at + 3.5, short(tick))
        )
    parts.append(
        Markup(
            '<rect class="frame" x="{}" y="{}" width="{}" height="{}"/>'
            '<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>'
            '<text class="label" x="4" y="12">{}</text>'
        ).format(
            *(_LEFT, _TOP, right - _LEFT, bottom - _TOP),
            *((_LEFT + right) / 2, HEIGHT - 6, x.label, y.label),
        )
    )
    return Markup("").join(parts)


def _marker(number: int, x: float, y: float, tip: str) -> Markup:
    kind = _MARKERS[number % len(_MARKERS)]
    title = Markup("<title>{}</title>").format(tip) if tip else Markup("")
    start = Markup('<g class="dot s{}" transform="translate({:.1f} {:.1f})">').format(
        number % SERIES, x, y
    )
    shape = {
        "circle": '<circle r="3.6"/>',
        "square": '<rect x="-3.2" y="-3.2" width="6.4" height="6.4"/>',
        "triangle": '<path d="M0 -4.4L4.2 3.2H-4.2Z"/>',
        "diamond": '<path d="M0 -4.6L4.6 0L0 4.6L-4.6 0Z"/>',
    }[kind]
    return start + title + Markup(shape) + Markup("</g>")


def _svg(title: str, width: int, parts: Sequence[Markup]) -> Markup:
    start = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return start.format(width, HEIGHT, title) + Markup("").join(parts) + Markup("</svg>")
