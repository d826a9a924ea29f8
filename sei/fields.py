"""Fields of the items of an array, as a syntax function declares them."""

from __future__ import annotations

from typing import NamedTuple

UE = 0
SIGN = -1
RICE = -2


class Field(NamedTuple):
    """A syntax element that each item of an array has.

    ``code`` is the number of bits of u(n), `UE` for ue(v), or `SIGN` for a flag that is there, and
    otherwise 0, only where one of the elements before it, back to the last flag of the kind, is
    not 0; `RICE` and less for Rice codes with as many low bits as it is less. ``high`` is its
    greatest value, None: what the code can hold. With ``most``, the values of the items, each
    counted one higher, add up to that at the most.
    """

    name: str
    code: int
    high: int | None = None
    most: int | None = None


def ue(name: str, high: int | None = None, most: int | None = None) -> Field:
    """An Exp-Golomb code."""
    return Field(name, UE, high, most)


def u(name: str, bits: int, high: int | None = None) -> Field:
    """An unsigned integer of ``bits`` bits."""
    return Field(name, bits, high)


def sign(name: str) -> Field:
    """The flag of a number below 0, which a 0 does not have."""
    return Field(name, SIGN)
