"""Grouping into access units."""

from __future__ import annotations

import pytest

from sei import AccessUnitBoundaries, Codec, NalUnit, StreamError, access_units

VVC = {
    "AUD": "00a1 28", "VPS": "0071 00", "SPS": "0079 00", "PPS": "0081 00", "APS": "0089 00",
    "SUFFIX_APS": "0091 00", "PH": "0099 00", "IDR": "0041 c4", "TRAIL": "0001 c4",
    "TRAIL_NO_PH": "0001 44", "PREFIX_SEI": "00b9 05", "SUFFIX_SEI": "00c1 df", "EOS": "00a9",
    "FD": "00c9 ff",
}  # fmt: skip
HEVC = {
    "AUD": "4601 50", "VPS": "4001 0c", "SPS": "4201 01", "PPS": "4401 c1", "IDR": "2601 af",
    "TRAIL": "0201 d0", "NEXT_SEGMENT": "0201 50", "PREFIX_SEI": "4e01 05",
    "SUFFIX_SEI": "5001 df", "EOS": "4a01",
}  # fmt: skip
AVC = {
    "AUD": "09 10", "SPS": "67 64", "PPS": "68 eb", "SEI": "06 05", "IDR": "65 88",
    "NEXT_SLICE": "65 48", "TRAIL": "41 9a", "EOS": "0a",
}  # fmt: skip


@pytest.mark.parametrize(
    ("codec", "table", "groups"),
    [
        (Codec.VVC, VVC, "SPS PPS APS IDR SUFFIX_SEI SUFFIX_SEI | TRAIL SUFFIX_SEI | TRAIL"),
        (Codec.VVC, VVC, "AUD SPS PPS PREFIX_SEI PH TRAIL_NO_PH TRAIL_NO_PH SUFFIX_APS FD"
         " | PH TRAIL_NO_PH EOS | AUD IDR"),
        (Codec.VVC, VVC, "PREFIX_SEI IDR SUFFIX_SEI | PREFIX_SEI TRAIL | PPS TRAIL | APS TRAIL"),
        (Codec.HEVC, HEVC, "VPS SPS PPS PREFIX_SEI IDR SUFFIX_SEI | TRAIL NEXT_SEGMENT | TRAIL"),
        (Codec.HEVC, HEVC, "AUD IDR NEXT_SEGMENT EOS | AUD PPS TRAIL SUFFIX_SEI"
         " | PREFIX_SEI TRAIL"),
        (Codec.AVC, AVC, "SPS PPS SEI IDR NEXT_SLICE | TRAIL | SEI TRAIL EOS | AUD IDR"),
    ],
)  # fmt: skip
def test_access_units(codec: Codec, table: dict[str, str], groups: str) -> None:
    expected = [group.split() for group in groups.split("|")]
    units = [NalUnit(codec, bytes.fromhex(table[name])) for group in expected for name in group]
    found = list(access_units(units))
    assert [len(group) for group in found] == [len(group) for group in expected]
    assert [unit for group in found for unit in group] == units
    boundaries = AccessUnitBoundaries()
    starts = [boundaries.starts_here(unit) for unit in units]
    assert starts == [i == 0 for group in expected for i in range(len(group))]


def test_no_units_no_access_units() -> None:
    assert list(access_units([])) == []


def test_an_access_unit_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sei.access_unit.MAX_NAL_UNITS", 10)
    unit = NalUnit(Codec.VVC, bytes.fromhex(VVC["SUFFIX_SEI"]))
    assert len(list(access_units([unit] * 10))) == 1
    with pytest.raises(StreamError, match="more than 10 NAL units"):
        list(access_units([unit] * 11))


LAYERS = {
    "AUD1": "01a1 28", "IDR1": "0141 c4", "TRAIL1": "0101 c4", "SPS1": "0179 00", "SEI1": "01b9 05",
}  # fmt: skip
HEVC_LAYERS = {
    "IDR1": "2609 af", "TRAIL1": "0209 d0", "SPS1": "4209 01", "SEI1": "4e09 05", "AUD1": "4609 50",
    "RPU": "7c01 19", "EL": "7e01 26",
}  # fmt: skip


@pytest.mark.parametrize(
    ("codec", "table", "groups"),
    [
        (Codec.VVC, VVC | LAYERS, "SPS SPS1 IDR SEI1 IDR1 SUFFIX_SEI | TRAIL TRAIL1 | AUD1 TRAIL"),
        (Codec.VVC, VVC | LAYERS, "SPS1 IDR1 | TRAIL1 | PREFIX_SEI TRAIL1"),
        (Codec.HEVC, HEVC | HEVC_LAYERS, "SPS SPS1 IDR AUD1 SEI1 IDR1 SUFFIX_SEI | TRAIL TRAIL1"),
        (Codec.HEVC, HEVC | HEVC_LAYERS, "SPS IDR EL EL RPU | TRAIL EL RPU | AUD TRAIL EL RPU"),
    ],
)
def test_the_base_layer_makes_access_units(
    codec: Codec, table: dict[str, str], groups: str
) -> None:
    expected = [group.split() for group in groups.split("|")]
    units = [NalUnit(codec, bytes.fromhex(table[name])) for group in expected for name in group]
    assert [len(group) for group in access_units(units)] == [len(group) for group in expected]
