"""Orders of pictures in streams made by hand, for what no encoder here writes."""

from __future__ import annotations

import pytest

from base_codec_adapters import Codec, StreamInvalidError
from base_codec_adapters.picture_order import output_places
from tests.base_codec_adapters.streams import BitWriter, emulate

Told = tuple[str, int] | tuple[str, int, int]
"""Type and low bits of the order count of a picture, and its temporal sub-layer if not 0."""

TRAIL, RADL, CRA, IDR = "trail", "radl", "cra", "idr"
TYPES: dict[Codec, dict[str, int]] = {
    "vvc": {"trail": 0, "radl": 2, "idr": 8, "cra": 9, "sps": 15, "pps": 16, "eos": 21},
    "hevc": {"trail": 1, "radl": 7, "idr": 20, "cra": 21, "sps": 33, "pps": 34, "eos": 36},
}


def ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def nal(codec: Codec, kind: int, bits: str, temporal_id: int = 0) -> bytes:
    writer = BitWriter()
    writer.bits = bits
    header = (
        bytes([kind << 1, temporal_id + 1])
        if codec == "hevc"
        else bytes([0, kind << 3 | temporal_id + 1])
    )
    return b"\0\0\1" + header + emulate(writer.rbsp())


def parameter_sets(codec: Codec, order_bits: int = 4) -> bytes:
    """Of 16x16 pictures; in HEVC slices have two reserved bits and say whether they are shown."""
    size = ue(16) + ue(16) + "0"
    if codec == "vvc":
        # No profile, tier and level; 4:2:0; whole pictures of 8 bits.
        sps = "000000000000100000" + size + "0" + ue(0) + "00"
        sps += f"{order_bits - 4:04b}"
        pps = "0000000000"
    else:
        sps = "00000001" + "0" * 96 + ue(0) + ue(1) + size + ue(0) + ue(0)
        sps += ue(order_bits - 4)
        pps = ue(0) + ue(0) + "01010"
    types = TYPES[codec]
    return nal(codec, types["sps"], sps) + nal(codec, types["pps"], pps)


def picture(codec: Codec, kind: str, low: int, temporal_id: int = 0, order_bits: int = 4) -> bytes:
    """A slice, of which only the front is there."""
    number = TYPES[codec][kind]
    low_bits = f"{low:0{order_bits}b}"
    is_random_access = kind in (CRA, IDR)
    if codec == "vvc":
        header = "1" + str(int(is_random_access)) + "0" + ("0" if is_random_access else "")
        header += "0" + ue(0) + low_bits
    else:
        header = "1" + ("0" if is_random_access else "") + ue(0)
        if kind != IDR:
            header += "00" + ue(1) + "1" + low_bits
    return nal(codec, number, header, temporal_id)


def stream(codec: Codec, *pictures: Told) -> bytes:
    return parameter_sets(codec) + b"".join(picture(codec, *each) for each in pictures)


@pytest.fixture(params=["vvc", "hevc"])
def codec(request: pytest.FixtureRequest) -> Codec:
    return request.param  # type: ignore[no-any-return]


def test_low_bits_go_on_past_their_end(codec: Codec) -> None:
    """Order counts 0, 8, 4, 16, 12, 24, 20, of which 4 bits are told."""
    told: list[Told] = [(IDR, 0), (TRAIL, 8), (TRAIL, 4, 1), (TRAIL, 0), (TRAIL, 12, 1), (TRAIL, 8)]
    assert output_places(stream(codec, *told, (TRAIL, 4, 1)), codec) == [0, 2, 1, 4, 3, 6, 5]


def test_higher_sub_layers_are_not_gone_by(codec: Codec) -> None:
    """From order count 6 in the lowest one on, 13 is the nearest with these low bits: not -3."""
    told: list[Told] = [(IDR, 0), (TRAIL, 6), (TRAIL, 2, 1), (TRAIL, 13)]
    assert output_places(stream(codec, *told), codec) == [0, 2, 1, 3]


def test_order_starts_anew_at_idr_pictures(codec: Codec) -> None:
    told = [(IDR, 0), (TRAIL, 2), (TRAIL, 1), (IDR, 0), (TRAIL, 1)]
    assert output_places(stream(codec, *told), codec) == [0, 2, 1, 3, 4]


def test_a_cra_picture_goes_on_in_the_midst_and_starts_anew_after_an_end(codec: Codec) -> None:
    told = [(CRA, 3), (TRAIL, 8), (CRA, 12), (RADL, 10), (TRAIL, 13)]
    assert output_places(stream(codec, *told), codec) == [0, 1, 3, 2, 4]
    end = nal(codec, TYPES[codec]["eos"], "")[:5]
    joined = stream(codec, (IDR, 0), (TRAIL, 7)) + end + stream(codec, (CRA, 4), (TRAIL, 5))
    assert output_places(joined, codec) == [0, 1, 2, 3]


def test_a_picture_header_of_its_own() -> None:
    """Two slices follow it, and say nothing of the order."""
    data = parameter_sets("vvc")
    for kind, low in ((IDR, 0), (TRAIL, 4), (TRAIL, 2)):
        is_random_access = kind == IDR
        header = str(int(is_random_access)) + "0" + ("0" if is_random_access else "")
        data += nal("vvc", 19, header + "0" + ue(0) + f"{low:04b}")
        data += 2 * nal("vvc", TYPES["vvc"][kind], "011111")
    assert output_places(data, "vvc") == [0, 2, 1]


def test_what_cannot_be_read_is_told(codec: Codec) -> None:
    with pytest.raises(StreamInvalidError, match="parameter set that is missing"):
        output_places(picture(codec, IDR, 0), codec)
    cut = parameter_sets(codec) + picture(codec, TRAIL, 1)[:6]
    with pytest.raises(StreamInvalidError, match="order of pictures cannot be read"):
        output_places(cut, codec)
