"""NAL unit headers, kinds, and emulation prevention."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sei import (
    Codec,
    NalUnit,
    StreamError,
    add_emulation_prevention,
    irap_delimiter,
    remove_emulation_prevention,
)
from sei.nal import nal_unit_header


@pytest.mark.parametrize(
    ("codec", "data", "nal_unit_type", "name", "marks"),
    [
        # VVC: forbidden 0, reserved 0, layer 6 bits | type 5 bits, TemporalId + 1 in 3 bits
        (Codec.VVC, "0079", 15, "SPS", ""),
        (Codec.VVC, "0041 c4", 8, "IDR_N_LP", "vcl irap picture"),
        (Codec.VVC, "0041 44", 8, "IDR_N_LP", "vcl irap"),  # picture header is elsewhere
        (Codec.VVC, "0099 00", 19, "PH", "picture"),
        (Codec.VVC, "0001 80", 0, "TRAIL", "vcl picture"),
        (Codec.VVC, "0051 80", 10, "GDR", "vcl picture"),
        (Codec.VVC, "00b9", 23, "PREFIX_SEI", "prefix"),
        (Codec.VVC, "00c1", 24, "SUFFIX_SEI", "suffix"),
        # HEVC: forbidden 0, type 6 bits, layer 6 bits, TemporalId + 1 in 3 bits
        (Codec.HEVC, "4001", 32, "VPS", ""),
        (Codec.HEVC, "2601 af", 19, "IDR_W_RADL", "vcl irap picture"),
        (Codec.HEVC, "2601 2f", 19, "IDR_W_RADL", "vcl irap"),  # a later slice segment
        (Codec.HEVC, "0201 d0", 1, "TRAIL_R", "vcl picture"),
        (Codec.HEVC, "2a01 af", 21, "CRA", "vcl irap picture"),
        (Codec.HEVC, "4e01", 39, "PREFIX_SEI", "prefix"),
        (Codec.HEVC, "5001", 40, "SUFFIX_SEI", "suffix"),
        # H.264: forbidden 0, nal_ref_idc 2 bits, type 5 bits
        (Codec.AVC, "67", 7, "SPS", ""),
        (Codec.AVC, "65 88", 5, "SLICE_IDR", "vcl irap picture"),
        (Codec.AVC, "41 9a", 1, "SLICE_NON_IDR", "vcl picture"),
        (Codec.AVC, "41 4a", 1, "SLICE_NON_IDR", "vcl"),  # first_mb_in_slice is 1: 010
        (Codec.AVC, "06", 6, "SEI", "prefix"),
    ],
)
def test_headers(codec: Codec, data: str, nal_unit_type: int, name: str, marks: str) -> None:
    unit = NalUnit(codec, bytes.fromhex(data))
    assert (unit.nal_unit_type, unit.type_name) == (nal_unit_type, name)
    assert (unit.layer_id, unit.temporal_id) == (0, 0)
    found = {
        "vcl": unit.is_vcl,
        "irap": unit.is_irap,
        "picture": unit.starts_picture,
        "prefix": unit.is_prefix_sei,
        "suffix": unit.is_suffix_sei,
    }
    assert {mark for mark, holds in found.items() if holds} == set(marks.split())
    assert unit.is_sei == (unit.is_prefix_sei or unit.is_suffix_sei)


@given(
    st.sampled_from([Codec.VVC, Codec.HEVC]),
    st.integers(0, 31),
    st.integers(0, 55),
    st.integers(0, 6),
)
def test_header_fields_survive(
    codec: Codec, nal_unit_type: int, layer_id: int, temporal_id: int
) -> None:
    header = nal_unit_header(codec, nal_unit_type, layer_id=layer_id, temporal_id=temporal_id)
    unit = NalUnit(codec, header)
    assert (unit.nal_unit_type, unit.layer_id, unit.temporal_id) == (
        nal_unit_type,
        layer_id,
        temporal_id,
    )
    assert unit.data[0] & 0x80 == 0


@pytest.mark.parametrize("codec", list(Codec))
def test_every_type_has_a_name_of_its_own(codec: Codec) -> None:
    size = 64 if codec is Codec.HEVC else 32
    names = {
        NalUnit(codec, nal_unit_header(codec, number) + b"\0").type_name for number in range(size)
    }
    assert len(names) == size


def test_impossible_headers_are_refused() -> None:
    with pytest.raises(StreamError, match="shorter than its header"):
        NalUnit(Codec.VVC, b"\0")
    with pytest.raises(StreamError, match="nal_unit_type 32 does not exist in vvc"):
        nal_unit_header(Codec.VVC, 32)
    with pytest.raises(StreamError, match=r"TemporalId 7 within 0\.\.6"):
        nal_unit_header(Codec.HEVC, 40, temporal_id=7)
    with pytest.raises(StreamError, match="no layer"):
        nal_unit_header(Codec.AVC, 6, layer_id=1)
    assert NalUnit(Codec.VVC, bytes.fromhex("0078")).temporal_id == -1


@pytest.mark.parametrize(
    ("rbsp", "data"),
    [
        ("00 00 00", "00 00 03 00 03"),
        ("00 00 01", "00 00 03 01"),
        ("00 00 02", "00 00 03 02"),
        ("00 00 03", "00 00 03 03"),
        ("00 00 04", "00 00 04"),
        ("00 00", "00 00 03"),  # a NAL unit must not end in a zero byte
        ("00 00 00 00 00 00", "00 00 03 00 00 03 00 00 03"),
        ("01 00 00 00 01 80", "01 00 00 03 00 01 80"),
        ("", ""),
    ],
)
def test_emulation_prevention(rbsp: str, data: str) -> None:
    assert add_emulation_prevention(bytes.fromhex(rbsp)) == bytes.fromhex(data)
    if not rbsp.endswith("00"):
        assert remove_emulation_prevention(bytes.fromhex(data)) == bytes.fromhex(rbsp)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 128]), max_size=60).map(bytes))
def test_emulation_prevention_is_undone_and_hides_start_codes(rbsp: bytes) -> None:
    rbsp += b"\x80"
    data = add_emulation_prevention(rbsp)
    assert remove_emulation_prevention(data) == rbsp
    assert all(code not in data for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


@pytest.mark.parametrize(("codec", "data"), [(Codec.VVC, "00a1 a8"), (Codec.HEVC, "4601 50")])
def test_a_delimiter_of_slices_of_all_kinds(codec: Codec, data: str) -> None:
    unit = irap_delimiter(codec)
    assert (unit.data, unit.type_name) == (bytes.fromhex(data), "AUD")
    assert unit.precedes_picture


def test_h264_has_no_irap_pictures() -> None:
    with pytest.raises(StreamError, match="no IRAP picture"):
        irap_delimiter(Codec.AVC)
