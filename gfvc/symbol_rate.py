"""How many messages with face parameters a second: the values of `--symbol-rate`."""

from __future__ import annotations

from fractions import Fraction

FULL = "full"
AUTOMATIC_RATE = "auto"

SymbolRate = Fraction | str
"""Messages a second, `FULL` or `AUTOMATIC_RATE`."""


def symbol_interval(symbol_rate: SymbolRate, rate: Fraction) -> int | None:
    """Pictures from message to message at `rate` pictures a second; None: where they pay.

    >>> symbol_interval(Fraction(25, 2), Fraction(25))
    2
    """
    if symbol_rate == AUTOMATIC_RATE:
        return None
    if symbol_rate == FULL:
        return 1
    return max(1, round(rate / Fraction(symbol_rate)))
