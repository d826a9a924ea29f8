"""Bits of a payload: fixed-length and Exp-Golomb codes, byte runs, positions.

Storage and conversion are bitstring's. Codes are cut off a window of a few hundred bits that is
held as one integer, because a call into bitstring costs more than a whole element may
(a ten-minute stream has some three million of them).
"""

from __future__ import annotations

from bitstring import BitArray, Bits

from sei.errors import EndOfDataError, PayloadError

UE_MAX = 2**32 - 2
"""Greatest value of a ue(v) element (H.274 clause 6, as in H.265 clause 9.2)."""

_WINDOW = 512
_LONGEST_CODE = 63


def exp_golomb_size(value: int) -> int:
    """Bits of the ue(v) code of a value.

    >>> [exp_golomb_size(value) for value in (0, 1, 2, 3)]
    [1, 3, 3, 5]
    """
    return 2 * (value + 1).bit_length() - 1


class BitReader:
    """Reads bits, most significant first, from ``data``."""

    __slots__ = ("_bits", "_left", "_rest", "_window_end", "size")

    def __init__(self, data: bytes | Bits) -> None:
        self._bits = data if isinstance(data, Bits) else Bits(data)
        self.size = len(self._bits)
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
        end = min(self.size, start + max(least, _WINDOW))
        self._rest = self._bits[start:end].uint if end > start else 0
        self._left = end - start
        self._window_end = end

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

    def rice_codes(self, count: int, shift: int, most: int) -> list[int]:
        """Read ``count`` Rice codes: (value >> shift) one bits, a zero bit, the low bits.

        All at once, because bit by bit they would be the slowest thing that a stream can ask for.

        Raises:
            EndOfDataError: a code runs past the end.
            PayloadError: the values, each counted one higher, add up to more than ``most``.
        """
        import numpy as np

        if not count:
            return []
        start = self.position
        # No sound list is longer than this; what follows is not looked at.
        longest = (most >> shift) + count * (1 + shift)
        window = self._bits[start : min(self.size, start + longest)]
        bits = np.unpackbits(np.frombuffer(window.tobytes(), np.uint8))[: len(window)]
        places = np.arange(len(bits))
        # For each bit, the next zero bit: the end of the one bits of a code that starts there.
        zeros = np.minimum.accumulate(np.where(bits == 0, places, len(bits))[::-1])[::-1]
        following = (zeros + 1 + shift).tolist()
        starts, place = [], 0
        for _ in range(count):
            if place >= len(following) or following[place] > len(bits):
                if len(window) == longest:
                    raise PayloadError(f"Rice codes add up to more than {most}", start)
                raise EndOfDataError("a Rice code runs past the end", start)
            starts.append(place)
            place = following[place]
        at = np.array(starts, np.int64)
        values = zeros[at] - at << shift
        for bit in range(shift):
            values += bits[zeros[at] + 1 + bit].astype(np.int64) << (shift - 1 - bit)
        if int(values.sum()) + count > most:
            raise PayloadError(f"Rice codes add up to more than {most}", start)
        self._rest = self._left = 0
        self._window_end = start + place
        numbers: list[int] = values.tolist()
        return numbers

    def take_rest(self) -> Bits:
        """Read all bits that are left."""
        rest = self._bits[self.position :]
        self._rest = self._left = 0
        self._window_end = self.size
        return rest

    def take_bytes(self, count: int) -> bytes:
        """Read ``count`` bytes from a byte-aligned position.

        Raises:
            EndOfDataError: fewer bytes are left.
        """
        start = self.position
        if 8 * count > self.remaining:
            raise EndOfDataError(f"{count} bytes wanted, {self.remaining // 8} left", start)
        end = start + 8 * count
        self._rest = self._left = 0
        self._window_end = end
        return self._bits[start:end].tobytes()

    def terminated_bytes(self, limit: int) -> bytes:
        """Read bytes from a byte-aligned position up to a zero byte, which is read and left out.

        Raises:
            EndOfDataError: there is no zero byte.
            PayloadError: there is none within ``limit`` bytes.
        """
        start = self.position
        tail = self._bits[start : start + 8 * (limit + 1)].tobytes()
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
