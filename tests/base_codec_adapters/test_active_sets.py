"""Which sequence parameter sets count: those that pictures activate."""

from __future__ import annotations

import pytest

from base_codec_adapters import Codec, StreamInvalidError
from base_codec_adapters.active_sets import ActiveSets
from base_codec_adapters.byte_stream import PictureFormat, nal_units
from base_codec_adapters.stream_content import summarise
from tests.base_codec_adapters.streams import BitWriter, Sps, nal_unit, sps_unit

CODECS: tuple[Codec, ...] = ("hevc", "vvc")
SMALL, LARGE = Sps(64, 64), Sps(128, 96)


def numbered(codec: Codec, number: int, sps: Sps) -> bytes:
    """A sequence parameter set of another number than 0."""
    head = sps_unit(codec, sps)[:6]
    made = next(iter(nal_units(sps_unit(codec, sps), codec))).payload.replace(b"\0\0\3", b"\0\0")
    bits, code = "".join(f"{byte:08b}" for byte in made), BitWriter()
    if codec == "vvc":
        bits = f"{number:04b}{bits[4:]}"
    else:
        code.ue(number)
        bits = bits[:104] + code.bits + bits[105:]
    bits += "0" * (-len(bits) % 8)
    kind = 33 if codec == "hevc" else 15
    unit = nal_unit(codec, kind, int(bits, 2).to_bytes(len(bits) // 8, "big"))
    assert unit[:6] == head
    return unit


def picture_set(codec: Codec, number: int, sequence: int) -> bytes:
    bits = BitWriter()
    if codec == "vvc":
        bits.u(6, number)
        bits.u(4, sequence)
    else:
        bits.ue(number)
        bits.ue(sequence)
    return nal_unit(codec, 34 if codec == "hevc" else 16, bits.rbsp())


def picture(codec: Codec, number: int, *, intra: bool = True, apart: bool = False) -> bytes:
    """A picture that names a picture parameter set; in VVC its header stands `apart` or not."""
    bits = BitWriter()
    if codec == "hevc":
        bits.u(1, 1)  # first_slice_segment_in_pic_flag
        if intra:
            bits.u(1, 0)
        bits.ue(number)
        return nal_unit(codec, 20 if intra else 1, bits.rbsp())
    if not apart:
        bits.u(1, 1)  # sh_picture_header_in_slice_header_flag
    bits.u(1, intra)
    bits.u(1, 0)
    if intra:
        bits.u(1, 0)
    bits.u(1, not intra)  # ph_inter_slice_allowed_flag
    if not intra:
        bits.u(1, 1)
    bits.ue(number)
    kind = 8 if intra else 0
    header = nal_unit(codec, 19 if apart else kind, bits.rbsp())
    return header + nal_unit(codec, kind, b"\x2f\x12") if apart else header


@pytest.mark.parametrize("codec", CODECS)
def test_a_set_that_no_picture_activates_does_not_count(codec: Codec) -> None:
    for sets in (
        numbered(codec, 0, SMALL) + numbered(codec, 1, LARGE),
        numbered(codec, 1, LARGE) + numbered(codec, 0, SMALL),
    ):
        stream = sets + picture_set(codec, 5, 1) + picture_set(codec, 3, 0)
        stream += picture(codec, 3) + picture(codec, 3, intra=False)
        stream += numbered(codec, 2, LARGE) + picture(codec, 3, intra=False)
        content = summarise(stream, codec)
        assert content.format == PictureFormat(64, 64, 8)
        assert content.pictures == 3
        # What decoders may be asked for is still bounded by all.
        assert content.coded_size == (128, 96)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("intra", [False, True])
@pytest.mark.parametrize("codec", CODECS)
def test_one_that_a_later_picture_activates_does(codec: Codec, intra: bool, apart: bool) -> None:
    stream = numbered(codec, 0, SMALL) + numbered(codec, 15, LARGE)
    stream += picture_set(codec, 0, 0) + picture_set(codec, 63, 15)
    stream += picture(codec, 0, apart=apart)
    at = len(stream) + 4
    stream += picture(codec, 63, intra=intra, apart=apart)
    with pytest.raises(StreamInvalidError, match=f"byte {at}: .* 64x64 .* to 128x96"):
        summarise(stream, codec)


@pytest.mark.parametrize("codec", CODECS)
def test_where_it_cannot_be_told_the_last_set_counts(codec: Codec) -> None:
    empty = nal_unit(codec, 34 if codec == "hevc" else 16, b"")
    for unknown in (picture_set(codec, 0, 7), b"", empty):
        stream = numbered(codec, 0, SMALL) + unknown + picture(codec, 0)
        assert summarise(stream, codec).format == PictureFormat(64, 64, 8)
        with pytest.raises(StreamInvalidError, match=r"64x64 .* to 128x96"):
            summarise(stream + numbered(codec, 1, LARGE) + picture(codec, 0), codec)


@pytest.mark.parametrize("codec", CODECS)
def test_whether_sets_came_with_their_picture(codec: Codec) -> None:
    """Decoding can start there then."""
    sps, pps, other = numbered(codec, 0, SMALL), picture_set(codec, 0, 0), numbered(codec, 1, LARGE)
    parts = (sps + pps, b"", other, sps, pps, pps + sps)
    stream = b"".join(part + picture(codec, 0) for part in parts)
    sets = ActiveSets(codec)
    came = [sets.came_with_picture for unit in nal_units(stream, codec) if sets.see(unit)]
    assert came == [True, False, False, False, False, True]
