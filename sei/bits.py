"""Bits of a payload: fixed-length and Exp-Golomb codes, byte runs, positions.

Storage and conversion are bitstring's. Codes are cut off a window of a few hundred bits that is
held as one integer, because a call into bitstring costs more than a whole element may
(a ten-minute stream has some three million of them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bitstring import BitArray, Bits

from sei.elements import SIGN, UE, Field
from sei.errors import EndOfDataError, PayloadError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UE_MAX = 2**32 - 2
"""Greatest value of a ue(v) element (H.274 clause 6, as in H.265 clause 9.2)."""

_WINDOW = 512
_LONGEST_CODE = 63
_MOST_ZEROS = 31
_TEXT_BYTES = 2**11


def exp_golomb_size(value: int) -> int:
    """Bits of the ue(v) code of a value.

    >>> [exp_golomb_size(value) for value in (0, 1, 2, 3)]
    [1, 3, 3, 5]
    """
    return 2 * (value + 1).bit_length() - 1


def _first(flags: NDArray[np.bool_]) -> int:
    """Place of the first true one, or behind all."""
    return int(flags.argmax()) if flags.any() else len(flags)


class BitReader:
    """Reads bits, most significant first, from ``data``."""

    __slots__ = ("_data", "_left", "_rest", "_window_end", "size")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = 8 * len(data)
        """Number of bits in the data."""
        # The window: its unread bits as an integer, and how many they are.
        self._rest = 0
        self._left = 0
        self._window_end = 0

    @property
    def position(self) -> int:
        """Bits read so far."""
        return self._window_end - self._left

    @property
    def remaining(self) -> int:
        """Bits not yet read."""
        return self.size - self._window_end + self._left

    def _refill(self, least: int) -> None:
        """Move the window to the current position so that it holds ``least`` bits or all."""
        start = self.position
        last = start + max(least, _WINDOW) + 7 >> 3
        window = self._data[start >> 3 : last]
        self._window_end = 8 * ((start >> 3) + len(window))
        self._left = self._window_end - start
        self._rest = int.from_bytes(window) & ((1 << self._left) - 1)

    def _move(self, position: int) -> None:
        self._rest = self._left = 0
        self._window_end = position

    def unsigned(self, n: int) -> int:
        """Read u(n), ``n >= 1``.

        Raises:
            EndOfDataError: fewer than ``n`` bits are left.
        """
        if n > self._left:
            if n > self.remaining:
                raise EndOfDataError(f"{n} bits wanted, {self.remaining} left", self.position)
            self._refill(n)
        left = self._left - n
        value = self._rest >> left
        self._rest ^= value << left
        self._left = left
        return value

    def exp_golomb(self) -> int:
        """Read ue(v): 0..2^32-2 in at most 63 bits.

        Raises:
            EndOfDataError: the code runs past the end.
            PayloadError: more than 31 leading zero bits.
        """
        if self._left < _LONGEST_CODE and self._window_end < self.size:
            self._refill(_LONGEST_CODE)
        length = self._rest.bit_length()
        if length == self._left and length:
            # The commonest code by far: a one bit, which is 0.
            self._left -= 1
            self._rest ^= 1 << self._left
            return 0
        zeros = self._left - length
        left = length - 1 - zeros
        if left < 0 or zeros > 31:
            if length and zeros > 31:
                raise PayloadError("an Exp-Golomb code longer than 63 bits", self.position)
            raise EndOfDataError("an Exp-Golomb code runs past the end", self.position)
        value = self._rest >> left
        self._rest ^= value << left
        self._left = left
        return value - 1

    def items(self, fields: Sequence[Field], count: int) -> list[NDArray[np.int64]]:
        """Read ``count`` items of an array at once; the values of each field.

        There are fewer when one is damaged, or runs past the end: it is not read.
        """
        from sei.item_runs import read_items

        columns, starts = read_items(
            self._data, self.position, [field.code for field in fields], count
        )
        sound = len(starts) - 1
        for field, column in zip(fields, columns, strict=True):
            if field.high is not None:
                sound = min(sound, _first(column > field.high))
            if field.most is not None:
                sound = min(sound, _first((column + 1).cumsum() > field.most))
        self._move(int(starts[sound]))
        return [column[:sound] for column in columns]

    def few_items(self, fields: Sequence[Field], count: int) -> list[list[int]]:
        """The same as `items`, in less time where there are few.

        Fewer are read where they are very long, too.
        """
        start = self.position
        window = self._data[start >> 3 : (start >> 3) + _TEXT_BYTES]
        # Finding the next one bit in a text takes less time than any arithmetic.
        text = f"{int.from_bytes(window):0{8 * len(window)}b}"
        find, size = text.find, len(text)
        columns: list[list[int]] = [[] for _ in fields]
        plan = [
            (field.code, field.high, field.most, column.append)
            for field, column in zip(fields, columns, strict=True)
        ]
        read_to = start & 7
        used = 0
        for _ in range(count):
            place, is_set = read_to, False
            for code, high, most, append in plan:
                if code == UE:
                    one = find("1", place)
                    if one == place:
                        value, place = 0, one + 1
                    else:
                        end = 2 * one - place + 1
                        if end > size or one < 0 or one - place > _MOST_ZEROS:
                            break
                        value, place, is_set = int(text[one:end], 2) - 1, end, True
                elif code == SIGN:
                    value = 0
                    if is_set:
                        if place == size:
                            break
                        value, place, is_set = int(text[place] == "1"), place + 1, False
                else:
                    end = place + code
                    if end > size:
                        break
                    value, place = int(text[place:end], 2), end
                    is_set = is_set or value > 0
                if high is not None and value > high:
                    break
                if most is not None:
                    used += value + 1
                    if used > most:
                        break
                append(value)
            else:
                read_to = place
                continue
            break
        whole = min(map(len, columns))
        for column in columns:
            del column[whole:]
        self._move((start & ~7) + read_to)
        return columns

    def rice_codes(self, count: int, shift: int, most: int) -> Sequence[int] | NDArray[np.int64]:
        """Read ``count`` Rice codes: (value >> shift) one bits, a zero bit, the low bits.

        All at once, because bit by bit they would be the slowest thing that a stream can ask for.

        Raises:
            EndOfDataError: a code runs past the end.
            PayloadError: the values, each counted one higher, add up to more than ``most``.
        """
        import numpy as np

        from sei.item_runs import chain

        if not count:
            return []
        start = self.position
        # No sound list is longer than this; what follows is not looked at.
        longest = (most >> shift) + count * (1 + shift)
        window = self._data[start >> 3 : start + longest + 7 >> 3]
        bits = np.unpackbits(np.frombuffer(window, np.uint8))[start & 7 :][:longest]
        size = len(bits)
        places = np.arange(size, dtype=np.int32)
        # For each bit, the next zero bit: the end of the one bits of a code that starts there.
        zeros = np.minimum.accumulate(np.where(bits == 0, places, np.int32(size))[::-1])[::-1]
        ends = np.full(size + 2, size + 1, np.int32)
        ends[:size] = zeros + np.int32(1 + shift)
        ends[ends > size] = size + 1
        at = chain(ends, 0, count)
        if len(at) < count:
            if size == longest:
                raise PayloadError(f"Rice codes add up to more than {most}", start)
            raise EndOfDataError("a Rice code runs past the end", start)
        values = (zeros[at] - at).astype(np.int64) << shift
        for bit in range(shift):
            values += bits[zeros[at] + 1 + bit].astype(np.int64) << (shift - 1 - bit)
        if int(values.sum()) + count > most:
            raise PayloadError(f"Rice codes add up to more than {most}", start)
        self._move(start + int(ends[at[-1]]))
        return values

    def take_closing_bits(self) -> bool:
        """Read all that is left if it is a 1 and zero bits that fill the last byte, or nothing."""
        left = self.remaining
        closed = left == 0 or (left < 8 and self._data[-1] & ((1 << left) - 1) == 1 << left - 1)
        if closed:
            self._move(self.size)
        return closed

    def take_rest(self) -> Bits:
        """Read all bits that are left."""
        start = self.position
        self._move(self.size)
        return Bits(self._data[start >> 3 :])[start & 7 :]

    def take_bytes(self, count: int) -> bytes:
        """Read ``count`` bytes from a byte-aligned position.

        Raises:
            EndOfDataError: fewer bytes are left.
        """
        start = self.position
        if 8 * count > self.remaining:
            raise EndOfDataError(f"{count} bytes wanted, {self.remaining // 8} left", start)
        self._move(start + 8 * count)
        return self._data[start >> 3 : (start >> 3) + count]

    def terminated_bytes(self, limit: int) -> bytes:
        """Read bytes from a byte-aligned position up to a zero byte, which is read and left out.

        Raises:
            EndOfDataError: there is no zero byte.
            PayloadError: there is none within ``limit`` bytes.
        """
        start = self.position
        tail = self._data[start >> 3 : (start >> 3) + limit + 1]
        length = tail.find(b"\0")
        if length < 0 and len(tail) > limit:
            raise PayloadError(f"a string of more than {limit} bytes", start)
        if length < 0:
            raise EndOfDataError("a string without its closing zero byte", start)
        return self.take_bytes(length + 1)[:-1]


class BitWriter:
    """Collects bits, most significant first."""

    __slots__ = ("_count", "_done", "_pending")

    def __init__(self) -> None:
        self._done = BitArray()
        # Bits not yet handed to bitstring, as an integer, and how many they are.
        self._pending = 0
        self._count = 0

    @property
    def position(self) -> int:
        """Bits written so far."""
        return len(self._done) + self._count

    def _flush(self) -> None:
        if self._count:
            self._done.append(Bits(uint=self._pending, length=self._count))
            self._pending = self._count = 0

    def unsigned(self, value: int, n: int) -> None:
        """Write u(n); ``value`` must be within 0..2^n-1."""
        self._pending = self._pending << n | value
        self._count += n
        if self._count >= _WINDOW:
            self._flush()

    def exp_golomb(self, value: int) -> None:
        """Write ue(v); ``value`` must be within 0..2^32-2."""
        self.unsigned(value + 1, exp_golomb_size(value))

    def rice_code(self, value: int, shift: int) -> None:
        """Write a Rice code with ``shift`` low bits; ``value`` must not be negative."""
        ones = value >> shift
        self.unsigned((1 << ones) - 1, ones)
        self.unsigned(value & ((1 << shift) - 1), shift + 1)

    def bits(self, bits: Bits) -> None:
        """Write bits as they are."""
        self._flush()
        self._done.append(bits)

    def put_bytes(self, data: bytes) -> None:
        """Write bytes as they are, at whatever bit position."""
        self.bits(Bits(data))

    def to_bytes(self) -> bytes:
        """What was written, with zero bits up to the next byte."""
        self._flush()
        return self._done.tobytes()
