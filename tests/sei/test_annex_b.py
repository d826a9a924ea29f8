"""Byte streams: splitting, joining, telling the codec."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sei import (
    Codec,
    NalUnit,
    StreamError,
    UnknownCodecError,
    WrongCodecError,
    guess_codec,
    join_annex_b,
    split_annex_b,
)

BODIES = st.lists(st.sampled_from([0, 1, 2, 3, 128, 255]), max_size=12).map(
    lambda body: b"\x00\xc1" + bytes(body).replace(b"\0", b"\x07") + b"\x80"
)
UNITS = st.lists(
    st.tuples(BODIES, st.sampled_from([3, 4]), st.integers(0, 3)), min_size=1, max_size=6
)


class Trickle(io.BytesIO):
    """A file that hands out a few bytes at a time, so that every start code is cut somewhere."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._step)


@given(UNITS, st.integers(0, 3), st.integers(1, 7))
@example([(b"\x00\xc1\x80", 4, 0)], 3, 1)
def test_split_and_join_are_exact(
    parts: list[tuple[bytes, int, int]], leading_zeros: int, step: int
) -> None:
    units = []
    stream = bytes(leading_zeros)
    for data, start_code_size, trailing_zeros in parts:
        stream += bytes(start_code_size - 1) + b"\1"
        units.append((data, len(stream)))
        stream += data + bytes(trailing_zeros)
    for source in (stream, Trickle(stream, step)):
        split = list(split_annex_b(source, Codec.VVC))
        assert [(unit.data, unit.offset) for unit in split] == units
        assert join_annex_b(split) == stream
        assert sum(unit.size for unit in split) == len(stream)


def test_start_codes_and_zeros_are_told_apart() -> None:
    stream = bytes.fromhex(
        "00 00"  # leading_zero_8bits
        "00 00 00 01 00 79 11"  # zero_byte, start code, NAL unit
        "00 00"  # trailing_zero_8bits
        "00 00 00 01 00 81 22"
        "00 00 01 00 c1 33"
        "00"
    )
    first, second, third = split_annex_b(stream, Codec.VVC)
    assert first == NalUnit(Codec.VVC, bytes.fromhex("007911"), 6, 4, 2, 2)
    assert second == NalUnit(Codec.VVC, bytes.fromhex("008122"), 15, 4, 0, 0)
    assert third == NalUnit(Codec.VVC, bytes.fromhex("00c133"), 21, 3, 0, 1)


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"no stream at all", "not an Annex B byte stream"),
        (bytes(10), "not an Annex B byte stream"),
        (b"\xff" + b"\0\0\1\0\xc1\x80", "where the stream begins"),
        (b"\0\0\1\0\xc1\x80\0\0\1\0\0\1\0\xc1\x80", r"shorter than its header \(at byte 9\)"),
        (b"\0\0\1\0", "shorter than its header"),
    ],
)
def test_what_is_no_stream_is_refused(stream: bytes, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        list(split_annex_b(stream, Codec.VVC))


def test_an_empty_stream_has_no_units() -> None:
    assert list(split_annex_b(b"")) == []
    assert join_annex_b([]) == b""


def test_a_nal_unit_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sei.annex_b.MAX_NAL_UNIT_SIZE", 1000)
    monkeypatch.setattr("sei.annex_b._CHUNK", 100)
    with pytest.raises(StreamError, match="no start code 00 00 01 within 1000 bytes"):
        list(split_annex_b(b"\0\0\1\0\xc1" + b"\7" * 2000, Codec.VVC))


def test_memory_does_not_grow_with_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "long.266"
    unit = b"\0\0\1\0\xc1" + b"\7" * 50_000
    path.write_bytes(unit * 400)
    tracemalloc.start()
    with path.open("rb") as file:
        count = sum(1 for _ in split_annex_b(file, Codec.VVC))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 400
    assert peak < 2_000_000  # of 20 MB


# First bytes of the NAL units that encoders begin a stream with.
BEGINNINGS = {
    Codec.VVC: [
        ["0079 000d", "0081 0000", "0089 20a4", "0041 c402", "00c1 df25"],  # VTM
        ["00a1 28", "0079 000d", "0081 0000", "0041 c402"],  # AUD first
        ["0071 00", "0079 00", "0081 00", "00b9 05", "0039 c4"],  # VPS, prefix SEI, IDR_W_RADL
        ["00c1 df25"],  # SEI messages alone
    ],
    Codec.HEVC: [
        ["4001 0c01", "4201 0101", "4401 c172", "2601 af06", "0201 d009"],
        ["4601 50", "4001 0c", "4201 01", "4401 c1", "4e01 05", "2801 af"],
        ["5001 df25"],
    ],
    Codec.AVC: [
        ["6764 001f", "68eb e3cb", "0605 ffff", "6588 8404", "419a 2212"],  # x264
        ["0910", "2742 e01f", "28ce 3c80", "2588 80", "21e0"],
        ["0605 ffff", "6588"],
    ],
}


@pytest.mark.parametrize(
    ("codec", "units"),
    [(codec, units) for codec, lists in BEGINNINGS.items() for units in lists],
)
def test_codec_is_told(codec: Codec, units: list[str]) -> None:
    datas = [bytes.fromhex(unit) for unit in units]
    assert guess_codec(datas) is codec
    stream = b"".join(b"\0\0\0\1" + data for data in datas)
    assert {unit.codec for unit in split_annex_b(stream)} == {codec}


def test_unknown_codec_asks_for_its_name() -> None:
    with pytest.raises(UnknownCodecError, match="name the codec"):
        guess_codec([b"\xff\xff\xff"])
    with pytest.raises(UnknownCodecError):
        list(split_annex_b(b"\0\0\1\xff\xff\0\0\1\xff\xff"))
    assert [u.codec for u in split_annex_b(b"\0\0\1\xff\xff", Codec.HEVC)] == [Codec.HEVC]


# Parameter sets as x265, x264 and VVenC write them; the longest are cut.
HEVC_SETS = [
    "40010c01ffff01600000030090000003000003003c959409",
    "42010101600000030090000003000003003ca01820205965654a4c2f016808",
    "4401c073c189",
]
AVC_SETS = ["6742c00bda0c11b011000003000100000300320f142aa0", "68ce0fc8"]
VVC_SETS = ["007900ab0220800000806080811a801cdffeb084d958c10209c00ca0c5", "0081000030404088907d04"]


def in_layer(data: str, layer: int) -> bytes:
    """A NAL unit of HEVC moved to another layer."""
    header = int(data[:4], 16) & ~0x1F8 | layer << 3
    return header.to_bytes(2, "big") + bytes.fromhex(data[4:])


@pytest.mark.parametrize(
    "more",
    [
        [b"\x7c\x01\x19\x08"],  # Dolby Vision RPU
        [b"\x7e\x01" + bytes.fromhex(data) for data in HEVC_SETS],  # enhancement layer
        [in_layer("2601af06", layer) for layer in (1, 32, 62)],
        [in_layer(data, 1) for data in HEVC_SETS],
        [b"\x67\x64\x00\x1f", b"\x68\xeb\xe3\xcb"],  # H.264's, of types 51 and 52 here
    ],
    ids=["rpu", "enhancement", "layers", "sets of a layer", "stray"],
)
def test_other_layers_and_types_do_not_hide_hevc(more: list[bytes]) -> None:
    sets = [bytes.fromhex(data) for data in HEVC_SETS]
    picture = bytes.fromhex("2601af06")
    assert guess_codec([*sets, *more * 20, picture]) is Codec.HEVC
    assert guess_codec([*sets[:2], *more[:1] * 100, *sets[2:], *more * 20]) is Codec.HEVC


@pytest.mark.parametrize(
    ("codec", "sets"),
    [(Codec.HEVC, HEVC_SETS), (Codec.AVC, AVC_SETS), (Codec.VVC, VVC_SETS)],
)
def test_parameter_sets_decide_and_no_more_is_read(codec: Codec, sets: list[str]) -> None:
    taken = 0

    def units() -> Iterator[bytes]:
        nonlocal taken
        for data in [*map(bytes.fromhex, sets), b"\x65\x88", b"\x7f" * 9]:
            taken += 1
            yield data

    assert guess_codec(units()) is codec
    assert taken == len(sets)


def test_a_stream_of_upper_layers_alone_has_its_codec() -> None:
    above = [in_layer(data, 1) for data in HEVC_SETS]
    assert guess_codec([*above, in_layer("2601af06", 1)] * 8) is Codec.HEVC
    above = [bytes([1]) + bytes.fromhex(data[2:]) for data in VVC_SETS]
    assert guess_codec([*above, b"\x01\x01\xc4\x02"] * 8) is Codec.VVC


def test_a_pps_without_its_sps_does_not_decide() -> None:
    # The slice header of an HEVC picture (type 20) is also a PPS of H.264.
    assert guess_codec([b"\x28\x01\xaf"] * 3 + [bytes.fromhex(d) for d in HEVC_SETS]) is Codec.HEVC


def test_a_codec_that_is_named_counts_where_parameter_sets_do_not_tell() -> None:
    sets = [bytes.fromhex(data) for data in HEVC_SETS]
    assert guess_codec(sets, Codec.HEVC) is Codec.HEVC
    assert guess_codec([b"\xff\xff\xff"], Codec.VVC) is Codec.VVC
    with pytest.raises(WrongCodecError, match="of hevc, and --codec says vvc"):
        guess_codec(sets, Codec.VVC)
    stream = b"".join(b"\0\0\1" + data for data in sets)
    assert {unit.codec for unit in split_annex_b(stream, Codec.VVC)} == {Codec.VVC}
