# ruff: noqa: D102 - overriding methods do what `Coder` says of them.
"""Interpreters of the syntax functions: reading, writing, tracing.

A syntax function (`sei.syntax`) names the elements of a message one after the other and hands each
the value that the message gives it. The coder answers with the value that is in the bitstream:
a `Reader` takes it from there and does not look at the given one, a `Writer` puts it there. So one
function is the whole knowledge of a message's syntax, and what it returns is what was coded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, repeat
from operator import index as as_int
from typing import Any, NoReturn, TypeVar

from bitstring import Bits

from sei.arguments import BytesLike, as_bytes, shown
from sei.bits import UE_MAX, BitReader, BitWriter, exp_golomb_size
from sei.elements import RICE, SIGN, UE, Element, ElementArray, Field, Index, Trace, element_name
from sei.errors import (
    ElementRangeError,
    EndOfDataError,
    FieldMissingError,
    MessageError,
    PayloadError,
    TrailingBitsError,
)

MAX_ITEMS = 2**16
"""Greatest number of keypoints, of matrices or of matrix elements in a message.

H.274 allows more; the memory that a hostile stream can take is bounded by it.
"""

AT_ONCE = 150
"""Items of an array from which on it is read by operations on arrays of their bits."""

MAX_STRING_SIZE = 2**16
"""Greatest size of a string in bytes; H.274 sets none."""

# Items from which on it pays to make their elements when they are asked for.
_KEPT_AS_ARRAY = 16

# Makes a named tuple in half the time; a stream can have millions of elements.
_new_tuple = tuple.__new__

T = TypeVar("T")

Columns = Sequence[Any]
"""The values of each field of an array: all lists of integers, or all NumPy arrays."""


class _Unread(int):
    """Stands for a message that is still being read: every field and item of it is itself.

    It is the number 0, so that a syntax function may do arithmetic on it.
    """

    def __getattr__(self, name: str) -> _Unread:
        return self

    def __getitem__(self, index: Any) -> _Unread:
        return self

    def __len__(self) -> int:
        return 0


UNREAD: Any = _Unread()


class Coder(ABC):
    """What a syntax function needs: the descriptors of the standard's syntax tables.

    In all of them ``given`` is the value that the message holds, which only a `Writer` looks at.
    They raise `PayloadError` on reading, `MessageError` on writing, `ElementRangeError` on both.
    """

    @property
    @abstractmethod
    def position(self) -> int:
        """Bits coded so far."""

    @abstractmethod
    def u(
        self,
        name: str,
        n: int,
        given: int | None,
        low: int = 0,
        high: int | None = None,
        index: Index = (),
    ) -> int:
        """Code an unsigned integer of ``n`` bits, checked against ``low`` and ``high``."""

    @abstractmethod
    def ue(
        self,
        name: str,
        given: int | None,
        low: int = 0,
        high: int = UE_MAX,
        index: Index = (),
    ) -> int:
        """Code an Exp-Golomb code, checked against ``low`` and ``high``."""

    def flag(self, name: str, given: bool, low: int = 0, index: Index = ()) -> bool:
        """Code one bit."""
        return bool(self.u(name, 1, given, low, 1, index))

    @abstractmethod
    def st(self, name: str, given: str | None, index: Index = ()) -> str:
        """Code a string: UTF-8 and a zero byte, from a byte-aligned position.

        It may have `MAX_STRING_SIZE` bytes.
        """

    @abstractmethod
    def byte_string(self, name: str, given: bytes | None, count: int | None = None) -> bytes:
        """Code ``count`` bytes from a byte-aligned position; None: to the end of the payload."""

    def array(
        self,
        fields: Sequence[Field],
        given: Iterable[Sequence[int]],
        count: int,
        indices: Callable[[], Iterable[Index]],
    ) -> Columns:
        """Code ``count`` items, of each its fields one after the other; the values of each field.

        ``given`` are the values of each item. A sign that an item does not have is 0.
        """
        return self._one_by_one(fields, given, indices, [[] for _ in fields])

    def _one_by_one(
        self,
        fields: Sequence[Field],
        given: Iterable[Sequence[int]],
        indices: Callable[[], Iterable[Index]],
        columns: list[list[int]],
    ) -> list[list[int]]:
        """Code the items of an array after those that are in ``columns``."""
        first = len(columns[0])
        used = [sum(column) + first for column in columns]
        for index, values in islice(zip(indices(), given), first, None):  # noqa: B905 - hot
            is_set = False
            for number, (name, code, high, most) in enumerate(fields):
                value: int
                if code == SIGN:
                    value = self.flag(name, bool(values[number]), 0, index) if is_set else False
                    is_set = False
                else:
                    if most is not None:
                        high = most - used[number] - 1
                    if code == UE:
                        high = UE_MAX if high is None else high
                        value = self.ue(name, values[number], 0, high, index)
                    else:
                        value = self.u(name, code, values[number], 0, high, index)
                    used[number] += value + 1
                    is_set = is_set or value != 0
                columns[number].append(value)
        return columns

    def rice_codes(self, name: str, given: Sequence[int], count: int, shift: int, most: int) -> Any:
        """Code ``count`` Rice codes with ``shift`` low bits, (value >> shift) one bits before them.

        The values, each counted one higher, add up to ``most`` at the most. What is returned is a
        column, as one of an array. No message of the standard has any.
        """
        raise MessageError(f"{name}: no Rice codes are coded here")

    def align(self, name: str) -> None:
        """Code zero bits up to a byte-aligned position."""
        while self.position % 8:
            self.u(name, 1, 0, 0, 0)

    @abstractmethod
    def part(self, name: str, given: Any) -> Any:
        """Check that a writer is given a part of the message that has to be coded."""

    @abstractmethod
    def items(self, name: str, given: Any, count: int, least_bits: int, blank: T) -> Iterable[T]:
        """Given values of ``count`` items that take ``least_bits`` or more each.

        A `Reader` yields ``blank`` instead, after making sure that the payload can hold so many.
        Neither takes more than `MAX_ITEMS`. So no count in a stream makes a reader allocate much.
        """

    @abstractmethod
    def trailing(self, given: Bits | None) -> Bits | None:
        """Code what follows the last element: extension data and the payload's trailing bits.

        None stands for trailing bits alone, and only where the payload is not byte-aligned.
        """

    @abstractmethod
    def opaque(self, given: Bits | None) -> Bits | None:
        """Code all that is left of the payload without looking at it; None when nothing is."""


def _is_plain_trailing(rest: Bits) -> bool:
    """Whether these are a 1 and zero bits that fill the last byte, or nothing."""
    size = len(rest)
    return size == 0 or (size < 8 and rest.uint == 1 << size - 1)


class Reader(Coder):
    """Takes the elements from a payload.

    ``trace`` receives them in bitstream order, without alignment bits and those that close the
    payload, and of a damaged payload those before the damage.
    """

    def __init__(self, payload: BytesLike, trace: Trace | list[Element] | None = None) -> None:
        self._bits = BitReader(as_bytes(payload, "a payload"))
        self._trace = trace

    @property
    def position(self) -> int:
        return self._bits.position

    @property
    def remaining(self) -> int:
        """Bits not yet read."""
        return self._bits.remaining

    @staticmethod
    def _fail(error: PayloadError, name: str, index: Index) -> NoReturn:
        text = str(error).partition(" (at bit")[0]
        raise type(error)(f"{element_name(name, index)}: {text}", error.bit_offset) from None

    def u(
        self,
        name: str,
        n: int,
        given: int | None,
        low: int = 0,
        high: int | None = None,
        index: Index = (),
    ) -> int:
        try:
            value = self._bits.unsigned(n)
        except PayloadError as error:
            self._fail(error, name, index)
        if value < low or (high is not None and value > high):
            high = 2**n - 1 if high is None else high
            raise ElementRangeError(element_name(name, index), value, low, high, self.position - n)
        if self._trace is not None:
            self._trace.append(_new_tuple(Element, (name, index, value, n)))
        return value

    def ue(
        self,
        name: str,
        given: int | None,
        low: int = 0,
        high: int = UE_MAX,
        index: Index = (),
    ) -> int:
        try:
            value = self._bits.exp_golomb()
        except PayloadError as error:
            self._fail(error, name, index)
        if not low <= value <= high:
            start = self.position - exp_golomb_size(value)
            raise ElementRangeError(element_name(name, index), value, low, high, start)
        if self._trace is not None:
            size = exp_golomb_size(value) if value else 1
            self._trace.append(_new_tuple(Element, (name, index, value, size)))
        return value

    def st(self, name: str, given: str | None, index: Index = ()) -> str:
        start = self.position
        try:
            text = self._bits.terminated_bytes(MAX_STRING_SIZE).decode("utf-8")
        except UnicodeDecodeError as error:
            raise PayloadError(
                f"{element_name(name, index)}: no UTF-8 text: {error.reason}",
                start + 8 * error.start,
            ) from None
        except PayloadError as error:
            self._fail(error, name, index)
        if self._trace is not None:
            self._trace.append(Element(name, index, text, self.position - start))
        return text

    def byte_string(self, name: str, given: bytes | None, count: int | None = None) -> bytes:
        try:
            data = self._bits.take_bytes(self._bits.remaining // 8 if count is None else count)
        except PayloadError as error:
            self._fail(error, name, ())
        if self._trace is not None:
            self._trace.append(Element(name, (), data, 8 * len(data)))
        return data

    def array(
        self,
        fields: Sequence[Field],
        given: Iterable[Sequence[int]],
        count: int,
        indices: Callable[[], Iterable[Index]],
    ) -> Columns:
        read_items = self._bits.items if count >= AT_ONCE else self._bits.few_items
        columns = read_items(fields, count)
        read = len(columns[0])
        if read and self._trace is not None:
            array = ElementArray(fields, columns, indices)
            self._trace.extend(array if read >= _KEPT_AS_ARRAY else iter(array))
        if read == count:
            return columns
        # The next item is damaged: read like this, it says what is wrong, and where.
        return self._one_by_one(
            fields, given, indices, [list(map(int, column)) for column in columns]
        )

    def rice_codes(self, name: str, given: Sequence[int], count: int, shift: int, most: int) -> Any:
        try:
            values = self._bits.rice_codes(count, shift, most)
        except PayloadError as error:
            self._fail(error, name, ())
        if self._trace is not None:
            fields = (Field(name, RICE - shift),)
            self._trace.extend(
                ElementArray(fields, (values,), lambda: ((i,) for i in range(count)))
            )
        return values

    def align(self, name: str) -> None:
        trace, self._trace = self._trace, None
        super().align(name)
        self._trace = trace

    def part(self, name: str, given: Any) -> Any:
        return UNREAD

    def items(self, name: str, given: Any, count: int, least_bits: int, blank: T) -> Iterable[T]:
        if count > MAX_ITEMS:
            raise PayloadError(
                f"{name}: {count} of them, at most {MAX_ITEMS} are read", self.position
            )
        if count * least_bits > self._bits.remaining:
            raise EndOfDataError(
                f"{name}: {count} of them cannot fit into the {self._bits.remaining} bits left",
                self.position,
            )
        return repeat(blank, count)

    def trailing(self, given: Bits | None) -> Bits | None:
        if self._bits.take_closing_bits():
            return None
        position = self.position
        rest = self._bits.take_rest()
        if not rest.any(True):
            raise TrailingBitsError(
                "the payload goes on after its last element, and without trailing bits", position
            )
        return rest

    def opaque(self, given: Bits | None) -> Bits | None:
        return self._bits.take_rest() or None


class Writer(Coder):
    """Puts the elements into a payload."""

    def __init__(self) -> None:
        self._bits = BitWriter()

    @property
    def position(self) -> int:
        return self._bits.position

    def to_bytes(self) -> bytes:
        """The payload."""
        return self._bits.to_bytes()

    @staticmethod
    def _integer(name: str, given: Any, index: Index) -> int:
        if given is None:
            raise FieldMissingError(f"{element_name(name, index)} must be coded: give a value")
        try:
            return as_int(given)
        except TypeError:
            raise MessageError(
                f"{element_name(name, index)} must be an integer, not {shown(given)}"
            ) from None

    def u(
        self,
        name: str,
        n: int,
        given: int | None,
        low: int = 0,
        high: int | None = None,
        index: Index = (),
    ) -> int:
        value = self._integer(name, given, index)
        high = 2**n - 1 if high is None else high
        if not low <= value <= high:
            raise ElementRangeError(element_name(name, index), value, low, high, self.position)
        self._bits.unsigned(value, n)
        return value

    def ue(
        self,
        name: str,
        given: int | None,
        low: int = 0,
        high: int = UE_MAX,
        index: Index = (),
    ) -> int:
        value = self._integer(name, given, index)
        high = min(high, UE_MAX)
        if not low <= value <= high:
            raise ElementRangeError(element_name(name, index), value, low, high, self.position)
        self._bits.exp_golomb(value)
        return value

    def st(self, name: str, given: str | None, index: Index = ()) -> str:
        name = element_name(name, index)
        if given is None:
            raise FieldMissingError(f"{name} must be coded: give a text")
        if not isinstance(given, str):
            raise MessageError(f"{name} must be a text, not {type(given).__name__}")
        try:
            data = given.encode("utf-8")
        except UnicodeEncodeError as error:
            raise MessageError(f"{name}: no UTF-8 text: {error.reason}") from None
        if len(data) > MAX_STRING_SIZE:
            raise MessageError(f"{name} has {len(data)} bytes, at most {MAX_STRING_SIZE} are coded")
        if b"\0" in data:
            raise MessageError(f"{name} must not contain a zero character, which ends it")
        self._bits.put_bytes(data + b"\0")
        return given

    def byte_string(self, name: str, given: bytes | None, count: int | None = None) -> bytes:
        if given is None:
            raise FieldMissingError(f"{name} must be coded: give bytes")
        given = as_bytes(given, name)
        if count is not None and len(given) != count:
            raise MessageError(f"{name}: {count} bytes must be given, not {len(given)}")
        self._bits.put_bytes(given)
        return given

    def rice_codes(self, name: str, given: Sequence[int], count: int, shift: int, most: int) -> Any:
        if len(given) != count:
            raise MessageError(f"{name}: {count} of them must be given, not {len(given)}")
        if min(given, default=0) < 0 or sum(given) + count > most:
            raise MessageError(f"{name}: values add up to more than {most}, or are negative")
        for value in given:
            self._bits.rice_code(value, shift)
        return given

    def part(self, name: str, given: Any) -> Any:
        if given is None:
            raise FieldMissingError(f"{name} must be coded: give it")
        return given

    def items(self, name: str, given: Any, count: int, least_bits: int, blank: T) -> Iterable[T]:
        if len(given) > MAX_ITEMS:
            raise MessageError(f"{name}: {len(given)} of them, at most {MAX_ITEMS} can be coded")
        if len(given) != count:
            raise MessageError(f"{name}: {count} of them must be given, not {len(given)}")
        values: Iterable[T] = given
        return values

    def trailing(self, given: Bits | None) -> Bits | None:
        if given is not None and not given.any(True):
            raise MessageError("extension data must end in trailing bits: a 1 and zero bits")
        if given is None and self.position % 8:
            self._bits.unsigned(1, 1)
            self.align("payload_bit_equal_to_zero")
            return None
        rest = self.opaque(given)
        return None if rest is None or _is_plain_trailing(rest) else rest

    def opaque(self, given: Bits | None) -> Bits | None:
        if given is not None:
            self._bits.bits(given)
            if self.position % 8:
                raise MessageError("extension data must fill the payload's last byte")
        return given
