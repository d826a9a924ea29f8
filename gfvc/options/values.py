"""Values as programs have them: numbers of NumPy and `decimal`, sequences of any type.

Options take them for what they mean; what uses the options gets plain Python numbers and tuples.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Set
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

_SHOWN = 100  # characters of a value in a message


def truth(value: Any) -> bool | None:
    """True or False, also as NumPy has them; None for all else."""
    if isinstance(value, bool):
        return value
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    return bool(value) if kind == "b" and value.shape == () else None


def whole_number(value: Any) -> int | None:
    """A number of any type that is whole, 40.0 too, which True is not; None for all else."""
    if truth(value) is not None:
        return None
    try:
        return operator.index(value)
    except TypeError:
        number = exact_number(value)
    # What is nearly whole is another number than its float.
    if number is None or number.denominator != 1 or number.numerator != value:
        return None
    return number.numerator


def real_number(value: Any) -> float | None:
    """A number of any type, int or float if it is one; None for all else, and for no number."""
    if isinstance(value, bool) or not isinstance(value, (Real, Decimal)):
        return None
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value)
    except (ValueError, ArithmeticError):
        return None


def exact_number(value: Any) -> Fraction | None:
    """A finite number of any type as a fraction; None for all else."""
    near = real_number(value)
    try:
        if near is None or not float("-inf") < near < float("inf"):
            return None
        if isinstance(value, Rational):
            return Fraction(int(value.numerator), int(value.denominator))
        # Of a decimal whose float is 0 or finite, and not of 1E+999999999, which takes minutes.
        return Fraction(value) if isinstance(value, Decimal) and near else Fraction(near)
    except (ValueError, ArithmeticError):
        return None


def items(value: Any) -> tuple[Any, ...] | None:
    """What a sequence or array of any type holds; None for all else, and for text."""
    if isinstance(value, (str, bytes, bytearray, Mapping, Set)):
        return None
    try:
        return tuple(value)
    except TypeError:
        return None


def shown(value: Any) -> str:
    """A value in a message: on one line, and not without end."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # an integer of thousands of digits
        return f"a number of more than {_SHOWN} digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
