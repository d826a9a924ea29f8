"""Kinds of values that an option takes: what is accepted, how it is read from text and shown."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from gfvc.given import no_file, no_folder
from gfvc.options.values import exact_number, items, real_number, whole_number

LARGEST_DENOMINATOR = 1001
"""Of rates, however they are given: 30000/1001 is the usual one."""


_LARGEST_WHOLE = (1 << 31) - 1
_LARGEST_FILE = 1 << 63  # bytes, which no system counts further

_LARGEST_TOLD = 100_000


def _limits(low: float, high: float | None) -> str:
    """A range as help texts tell it: none where nobody meets its end."""
    if high is None or high > _LARGEST_TOLD:
        return ""
    return f"{low:.15g}..{high:.15g}"


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """The values of an option.

    Attributes:
        wanted: what is accepted, as it ends the sentence "'x' is not …".
        read: makes a value of text; raises `ValueError` or `ArithmeticError` where it cannot.
        accepts: whether a value is one of these.
        metavar: what stands for the value in a usage line.
        choices: all texts that can be read, where they are few.
        convert: gives an accepted value the one type that those who use it count on.
        limits: the range of numbers, for help texts that do not tell it themselves.
    """

    wanted: str
    read: Callable[[str], Any]
    accepts: Callable[[Any], bool]
    metavar: str = "N"
    choices: tuple[str, ...] = ()
    convert: Callable[[Any], Any] = _unchanged
    limits: str = ""

    def parse(self, text: str) -> Any:
        """The value that a text means; raises `ValueError` with one line for the user."""
        with contextlib.suppress(ValueError, ArithmeticError, KeyError):
            value = self.read(text)
            if self.accepts(value):
                return self.convert(value)
        raise ValueError(f"{text!r} is not {self.wanted}")


def whole(low: int, high: int | None = None, *, step: int = 1, of: str = "a whole number") -> Kind:
    """Whole numbers from `low` to `high`, both included; None for no end that anybody meets."""
    limits = f"in {low}..{_LARGEST_WHOLE if high is None else high}"
    wanted = f"a multiple of {step} {limits}" if step > 1 else f"{of} {limits}"

    def accepts(value: Any) -> bool:
        number = whole_number(value)
        most = _LARGEST_WHOLE if high is None else high
        return number is not None and low <= number <= most and number % step == 0

    return Kind(wanted, int, accepts, convert=whole_number, limits=_limits(low, high))


def picture_size(low: int, high: int) -> Kind:
    """A side or a width and height in pixels, each from `low` to `high`: in text N or WxH."""

    def read(text: str) -> int | tuple[int, ...]:
        if "x" not in text.lower():
            return int(text)
        return tuple(int(side) for side in text.lower().split("x"))

    def accepts(value: Any) -> bool:
        if isinstance(value, Iterator):
            return False  # to look at it would empty it
        sides = items(value)
        if sides is not None:
            return len(sides) == 2 and all(map(side.accepts, sides))
        return side.accepts(value)

    def convert(value: Any) -> Any:
        sides = items(value)
        return side.convert(value) if sides is None else tuple(map(side.convert, sides))

    side = whole(low, high)
    wanted = f"a whole number in {low}..{high}, or two as WxH, each in {low}..{high}"
    limits = _limits(low, high)
    return Kind(wanted, read, accepts, "N|WxH", convert=convert, limits=limits)


def real(low: float, high: float, of: str, *, with_thousands: bool = False) -> Kind:
    """Numbers from `low`, or above it where it is 0, to `high`; "3k" for 3000 on request.

    `of` says what they are, and both ends where `low` is not 0.
    """

    def read(text: str) -> float:
        if with_thousands and text[-1:] in ("k", "K"):
            return float(text[:-1]) * 1000.0
        return float(text)

    def accepts(value: Any) -> bool:
        return _is_number(value, low, high) and value > 0

    wanted = of if low > 0 else f"{of} above 0, at most {high:.15g}"
    limits = _limits(low, high)
    if limits and low == 0:
        limits = f"above 0, at most {high:.15g}"
    metavar = "N[k]" if with_thousands else "N"
    return Kind(wanted, read, accepts, metavar, convert=real_number, limits=limits)


def _is_number(value: Any, low: float, high: float) -> bool:
    number = real_number(value)
    return number is not None and low <= number <= high and math.isfinite(number)


def between(low: float, high: float, of: str = "a number") -> Kind:
    """Numbers from `low` to `high`, both included, of either sign."""
    return Kind(
        f"{of} in {low:.15g}..{high:.15g}",
        float,
        lambda value: _is_number(value, low, high),
        convert=real_number,
        limits=_limits(low, high),
    )


def pair(low: float, high: float) -> Kind:
    """Two numbers from `low` to `high`: in text X,Y."""

    def read(text: str) -> tuple[float, ...]:
        return tuple(float(part) for part in text.split(","))

    def accepts(value: Any) -> bool:
        numbers = items(value)
        is_pair = numbers is not None and len(numbers) == 2
        return is_pair and all(_is_number(each, low, high) for each in numbers or ())

    def convert(value: Any) -> tuple[Any, ...]:
        return tuple(map(real_number, value))

    wanted = f"two numbers in {low:.15g}..{high:.15g}, as X,Y"
    limits = _limits(low, high)
    return Kind(wanted, read, accepts, "X,Y", convert=convert, limits=limits)


def file_size() -> Kind:
    """Numbers of bytes, in text such as 500M or 20G (powers of 1024)."""
    powers = {"k": 10, "m": 20, "g": 30, "t": 40}

    def read(given: str) -> int:
        power = powers.get(given[-1:].lower(), 0)
        return int(float(given[:-1] if power else given) * (1 << power))

    def accepts(value: Any) -> bool:
        number = whole_number(value)
        return number is not None and 1 <= number < _LARGEST_FILE

    wanted = f"a whole number of bytes such as 500M or 20G, below {_LARGEST_FILE >> 40}T"
    return Kind(wanted, read, accepts, "N[M|G]", convert=whole_number)


def fraction(low: Fraction, high: Fraction, wanted: str, metavar: str = "N") -> Kind:
    """Exact numbers above 0, from `low` to `high`, such as 25, 29.97 or 30000/1001.

    All become fractions; their denominators are small, as containers and messages want them.
    """

    def read(given: str) -> Fraction:
        # With an exponent, a few characters are a number of millions of digits.
        return Fraction(float(given)) if "e" in given.lower() else Fraction(given)

    def accepts(value: Any) -> bool:
        number = exact_number(value)
        return number is not None and number > 0 and low <= number <= high

    def convert(value: Any) -> Fraction | None:
        number = exact_number(value)
        assert number is not None
        near = number.limit_denominator(LARGEST_DENOMINATOR)
        # An approximation must not step over the limits.
        return near if accepts(near) else number

    limits = _limits(float(low), float(high)) if low else f"at most {high}"
    return Kind(wanted, read, accepts, metavar, convert=convert, limits=limits)


def words(*names: str, **meanings: Any) -> Kind:
    """Some words, which mean themselves, and others (by keyword), which mean something else."""
    values: Mapping[str, Any] = {name: name for name in names} | meanings
    texts = tuple(values)

    def meant(value: Any) -> list[Any]:
        # An array compares with anything, element by element.
        if not isinstance(value, Hashable):
            return []
        return [known for known in values.values() if value is known or value == known]

    def accepts(value: Any) -> bool:
        return len(meant(value)) > 0

    def convert(value: Any) -> Any:
        return meant(value)[0]

    return Kind(
        f"one of {', '.join(texts)}",
        values.__getitem__,
        accepts,
        "{" + ",".join(texts) + "}",
        texts,
        convert,
    )


def text(metavar: str = "NAME") -> Kind:
    """Any text but none."""
    return matching(r"(?s).*\S.*", "a name", metavar)


def matching(pattern: str, wanted: str, metavar: str) -> Kind:
    """Texts that match a regular expression as a whole."""

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None

    return Kind(wanted, str, accepts, metavar)


def path(metavar: str = "FILE") -> Kind:
    """A file, or a folder where that stands for it."""
    problem_of = no_folder if metavar == "DIR" else no_file

    def read(given: str) -> Path:
        problem = problem_of(given)
        if problem is not None:
            raise ValueError(problem)
        return Path(given)

    wanted = "a folder" if metavar == "DIR" else "a file"
    return Kind(wanted, read, lambda value: isinstance(value, Path), metavar)


def assignment(of: str) -> Kind:
    """A name with a number: in text NAME=NUMBER; `of` stands for the number in a usage line."""

    def read(given: str) -> tuple[str, float]:
        name, _, value = given.partition("=")
        return name, float(value)

    def accepts(value: Any) -> bool:
        return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)

    return Kind("NAME=NUMBER", read, accepts, f"NAME={of}")


def several(each: Kind, metavar: str) -> Kind:
    """Values of a kind, at least one and none twice: in text with commas between them."""

    def read(given: str) -> tuple[Any, ...]:
        parts = [part.strip() for part in given.split(",")]
        return tuple(dict.fromkeys(each.parse(part) for part in parts if part))

    def accepts(value: Any) -> bool:
        values = items(value)
        return values is not None and len(values) > 0 and all(map(each.accepts, values))

    def convert(value: Any) -> tuple[Any, ...]:
        return tuple(map(each.convert, value))

    wanted = f"a list of which each is {each.wanted}, with commas between them"
    return Kind(wanted, read, accepts, metavar, convert=convert)


def either(special: Kind, usual: Kind) -> Kind:
    """Values of two kinds; words of the first come first."""

    def read(given: str) -> Any:
        if given in special.choices:
            return special.read(given)
        return usual.read(given)

    quoted = [f"{word!r}" for word in special.choices]
    return Kind(
        f"{', '.join(quoted)} or {usual.wanted}",
        read,
        lambda value: special.accepts(value) or usual.accepts(value),
        "|".join([*special.choices, usual.metavar]),
        convert=lambda value: (special if special.accepts(value) else usual).convert(value),
        limits=usual.limits,
    )
