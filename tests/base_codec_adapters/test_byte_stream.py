from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base_codec_adapters import Codec, StreamInvalidError
from base_codec_adapters.byte_stream import PictureFormat, base_layer
from base_codec_adapters.stream_content import summarise
from tests.base_codec_adapters.streams import (
    Sps,
    make_stream,
    nal_unit,
    picture_unit,
    pps_unit,
    sps_unit,
)

CODECS: tuple[Codec, ...] = ("vvc", "hevc")
codecs = st.sampled_from(CODECS)


@given(
    codec=codecs,
    width=st.integers(1, 4096).map(lambda half: 2 * half),
    height=st.integers(1, 4096).map(lambda half: 2 * half),
    bit_depth=st.integers(8, 16),
    sub_layers=st.integers(0, 6),
    levels=st.integers(0, 6),
    constraint_bits=st.none() | st.sampled_from([0, 6, 255]),
    sub_profiles=st.integers(0, 3),
    resampling=st.booleans(),
    pictures=st.integers(1, 4),
)
def test_reads_what_was_written(
    codec: Codec,
    width: int,
    height: int,
    bit_depth: int,
    sub_layers: int,
    levels: int,
    constraint_bits: int | None,
    sub_profiles: int,
    resampling: bool,
    pictures: int,
) -> None:
    sps = Sps(
        width,
        height,
        bit_depth,
        sub_layers=sub_layers,
        levels=min(levels, sub_layers),
        constraint_bits=constraint_bits,
        sub_profiles=sub_profiles,
        resampling=resampling,
    )
    summary = summarise(make_stream(codec, pictures, sps), codec)
    assert summary.format == PictureFormat(width, height, bit_depth)
    assert summary.coded_size == (width, height)
    assert summary.pictures == pictures
    assert summary.parameter_sets_first


@pytest.mark.parametrize("codec", CODECS)
def test_conformance_window_is_applied(codec: Codec) -> None:
    sps = Sps(264, 136, crop=(1, 2, 0, 3))
    summary = summarise(make_stream(codec, 1, sps), codec)
    assert summary.format == PictureFormat(258, 130, 8)
    assert summary.coded_size == (264, 136)


@pytest.mark.parametrize("codec", CODECS)
def test_first_slices_are_counted_only(codec: Codec) -> None:
    """Further slices of a picture have 0 as their first bit, in VVC also the first one."""
    kind = 20 if codec == "hevc" else 8
    headers = sps_unit(codec, Sps()) + pps_unit(codec)
    further = nal_unit(codec, kind, b"\x2f\x12")
    if codec == "hevc":
        picture = nal_unit(codec, kind, b"\xaf\x12") + further
    else:
        picture = nal_unit(codec, 19, b"\x11\x12") + further + further
    suffix_sei = nal_unit(codec, 40 if codec == "hevc" else 24, b"\xdf\x02\xff\xff\x80")
    assert summarise(headers + 3 * (picture + suffix_sei), codec).pictures == 3


@pytest.mark.parametrize("codec", CODECS)
def test_other_layers_are_passed_over(codec: Codec) -> None:
    kind = 33 if codec == "hevc" else 15
    other = nal_unit(codec, kind, b"\xff" * 20, layer=40)
    other += nal_unit(codec, 1, b"\xff", layer=40)
    summary = summarise(other + make_stream(codec, 2), codec)
    assert summary.pictures == 2


def sei_unit(codec: Codec, *messages: bytes, end: bytes = b"\x80", suffix: bool = True) -> bytes:
    kind = (39 if codec == "hevc" else 23) + suffix
    return nal_unit(codec, kind, b"".join(messages) + end)


HASH = bytes([132, 5, 2, 0, 0, 0, 0])


@pytest.mark.parametrize("codec", CODECS)
def test_what_pictures_do_not_need_is_left_out(codec: Codec) -> None:
    """Delimiters, other layers, SEI, filler data, reserved types and those that others may use."""
    needed = [make_stream(codec), pps_unit(codec)]
    others = range(48, 64) if codec == "hevc" else range(26, 32)
    left_out = [
        *(nal_unit(codec, kind, b"\x80\x12") for kind in others),
        *(nal_unit(codec, kind, b"\x80\x12", layer=1) for kind in range(others.stop)),
        nal_unit(codec, 35 if codec == "hevc" else 20, b"\x90"),  # with no stop bit
        nal_unit(codec, 38 if codec == "hevc" else 25, b"\xff\xff\x80"),
        sei_unit(codec, b"\x04\x03abc"),
        sei_unit(codec, b"\x04\xff\xff", suffix=False),
        sei_unit(codec, b"\xdf\x02ab"),
    ]
    if codec == "vvc":
        # Picture headers and adaptation parameter sets.
        needed += [nal_unit(codec, 17, b"\x05\x80"), nal_unit(codec, 19, b"\x11\x80")]
    else:
        needed += [nal_unit(codec, kind, b"\x50") for kind in (32, 36, 37)]
    mixed = b"".join(left_out).join([*needed, b""])
    for hashes in (False, True):
        assert b"".join(base_layer(mixed, codec, hashes=hashes)) == b"".join(needed)
    assert summarise(mixed, codec).pictures == summarise(b"".join(needed), codec).pictures


@pytest.mark.parametrize("codec", CODECS)
def test_picture_hashes_alone_are_kept_where_they_are_checked(codec: Codec) -> None:
    stream, message = make_stream(codec), sei_unit(codec, HASH)
    assert b"".join(base_layer(stream + message, codec, hashes=True)) == stream + message
    assert b"".join(base_layer(stream + message, codec, hashes=False)) == stream
    for other in (
        sei_unit(codec, HASH, b"\x04\x03abc"),
        sei_unit(codec, b"\x04\x03abc", HASH),
        sei_unit(codec, HASH[:-1]),
        sei_unit(codec, HASH, end=b""),
        sei_unit(codec, HASH[:1], end=b""),
        sei_unit(codec, HASH, suffix=False),
    ):
        assert b"".join(base_layer(stream + other, codec, hashes=True)) == stream


@pytest.mark.parametrize("codec", CODECS)
def test_parameter_sets_after_the_picture_are_noticed(codec: Codec) -> None:
    sps, pps, picture = sps_unit(codec, Sps()), pps_unit(codec), picture_unit(codec)
    assert not summarise(sps + picture + pps, codec).parameter_sets_first
    assert not summarise(picture + sps + pps, codec).parameter_sets_first
    assert summarise(pps + sps + picture, codec).parameter_sets_first


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("sps", "message"),
    [
        (Sps(chroma_format=2), r"byte 4: sequence parameter set: chroma_format_idc is 2"),
        (Sps(chroma_format=0), "only 4:2:0"),
        (Sps(bit_depth=17), "17 bits a sample"),
        (Sps(width=0), "picture size 0x64 is impossible"),
        (Sps(width=63), "picture size 63x64 is impossible"),
        (Sps(crop=(16, 16, 0, 0)), "picture size 0x64 is impossible"),
    ],
)
def test_unsupported_sequences(codec: Codec, sps: Sps, message: str) -> None:
    with pytest.raises(StreamInvalidError, match=message):
        summarise(make_stream(codec, 1, sps), codec)


def test_unsupported_sequences_of_one_codec() -> None:
    with pytest.raises(StreamInvalidError, match="luma has 8 bits, chroma 10"):
        summarise(make_stream("hevc", 1, Sps(chroma_bit_depth=10)), "hevc")
    with pytest.raises(StreamInvalidError, match="subpictures"):
        summarise(make_stream("vvc", 1, Sps(subpictures=True)), "vvc")


@pytest.mark.parametrize("codec", CODECS)
def test_malformed_streams(codec: Codec) -> None:
    whole = make_stream(codec)
    name = codec.upper()
    for stream in (b"", b"\x00\x00", b"no start code", b"x" + whole):
        with pytest.raises(StreamInvalidError, match="byte 0: the stream does not start"):
            summarise(stream, codec)
    with pytest.raises(StreamInvalidError, match=f"no {name} sequence parameter set"):
        summarise(pps_unit(codec) + picture_unit(codec), codec)
    with pytest.raises(StreamInvalidError, match=f"no {name} coded picture"):
        summarise(sps_unit(codec, Sps()) + pps_unit(codec), codec)
    with pytest.raises(StreamInvalidError, match="byte 3: NAL unit without a whole header"):
        summarise(b"\x00\x00\x01\x42" + whole, codec)
    changed = whole + make_stream(codec, 1, Sps(128, 64))
    with pytest.raises(StreamInvalidError, match=r"changes from 64x64 at .* to 128x64 at 8 bits"):
        summarise(changed, codec)
    assert summarise(whole + b"\x00\x00\x01", codec).pictures == 1


@pytest.mark.parametrize("codec", CODECS)
def test_parameter_sets_cut_at_every_byte(codec: Codec) -> None:
    unit = sps_unit(codec, Sps(4096, 2304, crop=(1, 1, 1, 1), sub_layers=2))
    tail = pps_unit(codec) + picture_unit(codec)
    assert summarise(unit + tail, codec).format == PictureFormat(4092, 2300, 8)
    for size in range(6, len(unit) - 1):
        with pytest.raises(StreamInvalidError, match="ends too early"):
            summarise(unit[:size] + tail, codec)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("content", ["ones", "zeros", "start codes", "pictures", "SPS", "SEI"])
def test_work_is_in_proportion_to_the_bytes(codec: Codec, content: str) -> None:
    """A megabyte of anything takes a fraction of a second; here it has 5, on a busy machine."""
    unit = {
        "ones": b"\xff",
        "zeros": b"\x00",
        "start codes": b"\x00\x00\x01\x26\x01\x80",
        "pictures": picture_unit(codec),
        "SPS": sps_unit(codec, Sps()),
        "SEI": sei_unit(codec, HASH),
    }[content]
    stream = make_stream(codec, 1, Sps()) + unit * (1_000_000 // len(unit))
    started = time.process_time()
    summarise(stream, codec)
    size = sum(map(len, base_layer(stream, codec, hashes=True)))
    assert time.process_time() - started < 5
    assert size <= len(stream) + stream.count(b"\x00\x00\x01")


def test_endless_zeros_in_a_parameter_set() -> None:
    unit = nal_unit("vvc", 15, b"\x00\x4d\x00\x00" + b"\x00" * 5000 + b"\x80")
    with pytest.raises(StreamInvalidError, match="Exp-Golomb"):
        summarise(unit + picture_unit("vvc"), "vvc")


@given(codecs, st.binary(max_size=200))
def test_any_bytes_are_answered(codec: Codec, data: bytes) -> None:
    stream = sps_unit(codec, Sps()) + b"\x00\x00\x01" + data + picture_unit(codec)
    try:
        summary = summarise(stream, codec)
    except StreamInvalidError as error:
        assert str(error)  # noqa: PT017
    else:
        assert summary.pictures >= 1
