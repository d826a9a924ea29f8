"""SEI messages in their NAL units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sei import (
    Codec,
    EndOfDataError,
    MessageError,
    NalUnit,
    SeiMessage,
    SeiRbsp,
    StreamError,
    TrailingBitsError,
    iterate_sei_messages,
    make_sei_nal_unit,
    read_sei,
)

MESSAGES = st.lists(
    st.builds(
        SeiMessage,
        st.one_of(st.integers(0, 300), st.integers(0, 2**16)),
        st.one_of(
            st.binary(max_size=20),
            st.integers(250, 800).map(bytes),
            st.lists(st.sampled_from([0, 0, 1, 3, 128]), max_size=40).map(bytes),
        ),
    ),
    min_size=1,
    max_size=6,
)


@given(MESSAGES, st.sampled_from(list(Codec)), st.booleans())
def test_messages_survive(messages: list[SeiMessage], codec: Codec, suffix: bool) -> None:
    unit = make_sei_nal_unit(messages, codec, suffix=suffix)
    assert read_sei(unit) == SeiRbsp(tuple(messages))
    assert make_sei_nal_unit(read_sei(unit), codec, suffix=suffix) == unit
    assert unit.is_suffix_sei == (suffix and codec is not Codec.AVC)
    assert unit.is_prefix_sei != unit.is_suffix_sei
    assert all(len(message.to_bytes()) == message.size for message in messages)


@pytest.mark.parametrize(
    ("codec", "suffix", "data"),
    [
        (Codec.VVC, True, "00 c1 df 02 ab cd 80"),
        (Codec.VVC, False, "00 b9 df 02 ab cd 80"),
        (Codec.HEVC, True, "50 01 df 02 ab cd 80"),
        (Codec.HEVC, False, "4e 01 df 02 ab cd 80"),
        (Codec.AVC, True, "06 df 02 ab cd 80"),
        (Codec.AVC, False, "06 df 02 ab cd 80"),
    ],
)
def test_nal_unit_bytes(codec: Codec, suffix: bool, data: str) -> None:
    unit = make_sei_nal_unit([SeiMessage(223, b"\xab\xcd")], codec, suffix=suffix)
    assert unit.data == bytes.fromhex(data)
    assert unit.to_annex_b() == b"\0\0\1" + unit.data


def test_extended_numbers() -> None:
    unit = make_sei_nal_unit([SeiMessage(255, bytes(255))], Codec.VVC, start_code_size=4)
    # payloadType ff 00, payloadSize ff 00, the payload's zeros with emulation prevention
    assert unit.data[:11] == bytes.fromhex("00c1 ff00 ff00 00 03 00 00 03")
    assert unit.start_code_size == 4


def test_layer_and_temporal_id() -> None:
    unit = make_sei_nal_unit([SeiMessage(5, b"x")], Codec.VVC, layer_id=3, temporal_id=2)
    assert (unit.layer_id, unit.temporal_id) == (3, 2)


def test_bytes_after_the_trailing_bits_are_kept() -> None:
    unit = NalUnit(Codec.VVC, bytes.fromhex("00c1 df 01 aa 80 0000 03"))
    rbsp = read_sei(unit)
    assert rbsp == SeiRbsp((SeiMessage(223, b"\xaa"),), bytes.fromhex("80 0000"))
    assert make_sei_nal_unit(rbsp, Codec.VVC) == unit


@pytest.mark.parametrize(
    ("rbsp", "error", "message"),
    [
        ("", TrailingBitsError, "does not end in the byte 80"),
        ("df 01 aa", TrailingBitsError, "does not end in the byte 80"),
        ("df 03 aa 80", EndOfDataError, "payloadSize 3 of payloadType 223 is more than the 1"),
        ("ff ff ff 80", EndOfDataError, "payloadType runs past the end"),
        ("ff ff 80", EndOfDataError, "payloadType runs past the end"),
        ("df 80", EndOfDataError, "payloadSize runs past the end"),
        ("df ff ff ff ff ff ff ff 80", EndOfDataError, "payloadSize runs past the end"),
    ],
)
def test_damaged_rbsps(rbsp: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_sei(NalUnit(Codec.VVC, bytes.fromhex("00c1" + rbsp)))


def test_messages_before_the_damage_are_read() -> None:
    messages = iterate_sei_messages(bytes.fromhex("05 01 aa 04 01 bb df 7f 80"))
    assert [next(messages), next(messages)] == [SeiMessage(5, b"\xaa"), SeiMessage(4, b"\xbb")]
    with pytest.raises(EndOfDataError):
        next(messages)


def test_what_is_no_sei_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MessageError, match="type SPS holds no SEI"):
        read_sei(NalUnit(Codec.VVC, bytes.fromhex("0079 00")))
    with pytest.raises(MessageError, match="at least one message"):
        make_sei_nal_unit([], Codec.VVC)
    with pytest.raises(MessageError, match="payloadType -1"):
        SeiMessage(-1, b"").to_bytes()
    long = make_sei_nal_unit([SeiMessage(5, bytes(20))], Codec.VVC)
    monkeypatch.setattr("sei.rbsp.MAX_SEI_SIZE", 10)
    with pytest.raises(StreamError, match="at most 10 are read"):
        read_sei(long)
