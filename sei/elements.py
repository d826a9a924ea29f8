"""Syntax elements: fields of the items of an array as they are declared, and what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, overload

if TYPE_CHECKING:
    from numpy.typing import NDArray

UE = 0
SIGN = -1
RICE = -2

Index = tuple[int, ...]

# Makes a named tuple in half the time; a stream can have millions of elements.
_new_tuple = tuple.__new__


@lru_cache(maxsize=2**16)
def element_name(name: str, index: Index = ()) -> str:
    """Name of an element with its indices, as in the standard's semantics.

    >>> element_name("gfv_coordinate_x_abs", (4,))
    'gfv_coordinate_x_abs[4]'
    """
    return name + "".join(f"[{i}]" for i in index)


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


class Element(NamedTuple):
    """A syntax element as it was read: ``bits`` is what it took of the payload."""

    base_name: str
    """Name without indices."""
    indices: Index
    value: int | str | bytes
    bits: int

    @property
    def name(self) -> str:
        """Name with indices, as in the semantics of the standard."""
        return element_name(self.base_name, self.indices)

    @property
    def json_value(self) -> int | str:
        """The value, bytes as hex."""
        return self.value.hex() if isinstance(self.value, bytes) else self.value


class ElementArray:
    """The elements of an array of items, in bitstream order.

    ``columns`` are the values of each field, lists or NumPy arrays, 0 for a sign flag that an item
    does not have; ``indices`` gives the index of each item.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        columns: Sequence[Any],
        indices: Callable[[], Iterable[Index]],
    ) -> None:
        self._fields = fields
        self._lazy_columns = columns
        self._indices = indices

    @cached_property
    def _columns(self) -> list[NDArray[Any]]:
        import numpy as np

        return [np.asarray(column) for column in self._lazy_columns]

    @cached_property
    def _present(self) -> list[NDArray[Any]]:
        """Of each field, which items have it."""
        import numpy as np

        present = []
        is_set = absent = np.zeros(len(self._columns[0]), bool)
        for field, column in zip(self._fields, self._columns, strict=True):
            if field.code == SIGN:
                present.append(is_set)
                is_set = absent
            else:
                present.append(~absent)
                is_set = is_set | (column != 0)
        return present

    def __len__(self) -> int:
        if isinstance(self._lazy_columns[0], list):
            return self._length_of_lists()
        return sum(int(present.sum()) for present in self._present)

    def _length_of_lists(self) -> int:
        """The same of short columns, without arrays."""
        count = 0
        before: list[list[int]] = []
        for field, column in zip(self._fields, self._lazy_columns, strict=True):
            count += len(column)
            if field.code == SIGN:
                count -= list(zip(*before, strict=True)).count((0,) * len(before))
                before = []
            else:
                before.append(column)
        return count

    def __iter__(self) -> Iterator[Element]:
        lists = [c if isinstance(c, list) else c.tolist() for c in self._lazy_columns]
        plan = [(field.name, field.code) for field in self._fields]
        for index, values in zip(self._indices(), zip(*lists)):  # noqa: B905 - hot
            is_set = False
            for (name, code), value in zip(plan, values):  # noqa: B905 - hot
                if code == UE:
                    size = 2 * (value + 1).bit_length() - 1  # `exp_golomb_size`, not called: hot
                    is_set = is_set or value > 0
                elif code == SIGN:
                    if not is_set:
                        continue
                    size, is_set = 1, False
                elif code <= RICE:
                    size = (value >> RICE - code) + 1 + RICE - code
                else:
                    size = code
                    is_set = is_set or value > 0
                yield _new_tuple(Element, (name, index, value, size))

    def _bits(self) -> list[NDArray[Any]]:
        """Bits of each element, 0 for one that is not there."""
        import numpy as np

        bits = []
        for field, column, present in zip(self._fields, self._columns, self._present, strict=True):
            if field.code == UE:
                # The exponent of v + 1 is its bit length.
                bits.append(2 * np.frexp(column + 1.0)[1].astype(np.int64) - 1)
            elif field.code <= RICE:
                shift = RICE - field.code
                bits.append((column >> shift) + 1 + shift)
            else:
                bits.append(present * (1 if field.code == SIGN else field.code))
        return bits

    def totals(self) -> Iterator[tuple[str, int, int]]:
        """Name, number and bits of the elements of each field, in the order of the first ones."""
        first = [
            (int(present.argmax()), number) if present.any() else None
            for number, present in enumerate(self._present)
        ]
        bits = self._bits()
        for _, number in sorted(place for place in first if place is not None):
            count = int(self._present[number].sum())
            yield self._fields[number].name, count, int(bits[number].sum())


class Trace(Sequence[Element]):
    """The elements of a message in bitstream order; those of large arrays are made when asked for.

    ``parts`` are elements and whole arrays.
    """

    def __init__(self) -> None:
        self.parts: list[Element | ElementArray] = []

    def append(self, element: Element) -> None:
        """Take an element."""
        self.parts.append(element)

    def extend(self, elements: Iterable[Element]) -> None:
        """Take several."""
        if isinstance(elements, ElementArray):
            self.parts.append(elements)
        else:
            self.parts.extend(elements)

    def outside_arrays(self) -> Iterator[Element]:
        """The elements but for those that were read as arrays."""
        return (part for part in self.parts if isinstance(part, Element))

    def __len__(self) -> int:
        return sum(len(part) if isinstance(part, ElementArray) else 1 for part in self.parts)

    def __iter__(self) -> Iterator[Element]:
        for part in self.parts:
            if isinstance(part, ElementArray):
                yield from part
            else:
                yield part

    @overload
    def __getitem__(self, index: int) -> Element: ...
    @overload
    def __getitem__(self, index: slice) -> list[Element]: ...
    def __getitem__(self, index: int | slice) -> Element | list[Element]:
        if isinstance(index, slice) and index.start is None and (index.stop or 0) > 0:
            return list(islice(self, index.stop))[index]
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Trace, list)):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]
