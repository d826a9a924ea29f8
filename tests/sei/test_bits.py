"""Bit reader and writer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sei.bits import UE_MAX, BitReader, BitWriter, exp_golomb_size
from sei.errors import EndOfDataError, PayloadError

FIXED = st.integers(1, 100).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 2**n - 1)))
EXP_GOLOMB = st.tuples(
    st.just(None), st.one_of(st.integers(0, 8), st.integers(0, UE_MAX), st.just(UE_MAX))
)


@given(st.lists(st.one_of(FIXED, EXP_GOLOMB), max_size=80))
def test_what_is_written_is_read(codes: list[tuple[int | None, int]]) -> None:
    writer = BitWriter()
    for n, value in codes:
        before = writer.position
        if n is None:
            writer.exp_golomb(value)
            assert writer.position - before == exp_golomb_size(value)
        else:
            writer.unsigned(value, n)
            assert writer.position - before == n
    data = writer.to_bytes()
    assert len(data) == (writer.position + 7) // 8
    reader = BitReader(data)
    for n, value in codes:
        assert (reader.exp_golomb() if n is None else reader.unsigned(n)) == value
    assert reader.position == writer.position
    assert reader.remaining == 8 * len(data) - writer.position < 8


@given(st.binary(max_size=200), st.integers(0, 1600))
def test_reading_agrees_with_the_bits_as_text(data: bytes, start: int) -> None:
    """The window must not show, wherever reading starts: compare with a textual definition."""
    digits = "".join(f"{byte:08b}" for byte in data)
    start = min(start, len(digits))
    reader = BitReader(data)
    if start:
        assert reader.unsigned(start) == int(digits[:start], 2)
    zeros = len(digits[start:]) - len(digits[start:].lstrip("0"))
    end = start + 2 * zeros + 1
    if start + zeros == len(digits) or (end > len(digits) and zeros <= 31):
        with pytest.raises(EndOfDataError):
            reader.exp_golomb()
    elif zeros > 31:
        with pytest.raises(PayloadError, match="63 bits"):
            reader.exp_golomb()
    else:
        assert reader.exp_golomb() == int(digits[start + zeros : end], 2) - 1
        assert reader.position == end


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "1"),
        (1, "010"),
        (2, "011"),
        (3, "00100"),
        (7, "0001000"),
        (UE_MAX, "0" * 31 + "1" * 32),
    ],
)
def test_exp_golomb_codes_of_the_standard(value: int, code: str) -> None:
    writer = BitWriter()
    writer.exp_golomb(value)
    padded = code + "0" * (-len(code) % 8)
    assert writer.to_bytes() == int(padded, 2).to_bytes(len(padded) // 8, "big")
    assert exp_golomb_size(value) == len(code)


def test_byte_runs() -> None:
    reader = BitReader(b"\xabtext\0rest")
    assert reader.unsigned(8) == 0xAB
    assert reader.terminated_bytes(4) == b"text"
    assert reader.take_bytes(2) == b"re"
    assert reader.position == 64
    assert reader.take_rest().tobytes() == b"st"
    assert reader.remaining == 0


def test_reading_past_the_end_says_where() -> None:
    reader = BitReader(b"\xff")
    reader.unsigned(3)
    with pytest.raises(EndOfDataError, match=r"6 bits wanted, 5 left \(at bit 3\)") as caught:
        reader.unsigned(6)
    assert caught.value.bit_offset == 3
    with pytest.raises(EndOfDataError, match="1 bytes wanted, 0 left"):
        reader.take_bytes(1)
    with pytest.raises(EndOfDataError, match="closing zero byte"):
        BitReader(b"text").terminated_bytes(10)
    with pytest.raises(PayloadError, match="a string of more than 3 bytes"):
        BitReader(b"text\0").terminated_bytes(3)
