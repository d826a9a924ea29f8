"""Sequences with reordering: command lines, and what the real programs make of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters import (
    BaseEncoder,
    Codec,
    DecodeRequest,
    DecodeResult,
    EncodeRequest,
    OutputInvalidError,
    find_decoder,
    find_encoder,
)
from base_codec_adapters.byte_stream import nal_units
from base_codec_adapters.coded_sequences import coded_sequences
from base_codec_adapters.ffmpeg import (
    FfmpegKvazaarEncoder,
    FfmpegVvencEncoder,
    FfmpegX265Encoder,
)
from base_codec_adapters.picture_order import output_places
from base_codec_adapters.reference_software import HmEncoder, VtmEncoder
from base_codec_adapters.stream_content import summarise
from base_codec_adapters.vvenc import VvencFFappEncoder
from sei import Codec as SeiCodec
from sei import access_units, split_annex_b
from tests.base_codec_adapters.conftest import MakePicture
from tests.base_codec_adapters.moving_pictures import drifting
from tests.base_codec_adapters.tracing import slice_qps

SOURCE, TARGET = Path("/t/source.yuv"), Path("/t/coded.bin")

PROGRAMS: list[tuple[Codec, str]] = [
    ("vvc", "ffmpeg-libvvenc"),
    ("hevc", "ffmpeg-libx265"),
    ("hevc", "ffmpeg-libkvazaar"),
]

# Of each encoder: what of low delay it has not, and what it has in its place.
OWN: dict[type[BaseEncoder], tuple[str, str]] = {
    FfmpegVvencEncoder: (
        "gopsize=1:picreordering=0:intraperiod=-1:decodingrefreshtype=none:threads=0:"
        "intraqpoffset=0:mctf=0:bim=0:numrefpics=0:"
        "frame1=B 1 0 0 0 0 0 1 0 0 0 0 0 0 0 4 4 1 2 3 4 3 3 1 5 6:",
        "intraperiod=-1:poc0idr=1:threads=0:",
    ),
    VvencFFappEncoder: (
        "--GOPSize=1 --PicReordering=0 --IntraPeriod=-1 --DecodingRefreshType=none "
        "--IntraQPOffset=0 --MCTF=0 --BIM=0 --NumRefPics=0 "
        "--Frame1=B 1 0 0 0 0 0 1 0 0 0 0 0 0 0 4 4 1 2 3 4 3 3 1 5 6 ",
        "--IntraPeriod=-1 --POC0IDR=1 ",
    ),
    FfmpegX265Encoder: ("ipratio=1:keyint=-1:bframes=0:", "keyint=-1:"),
    FfmpegKvazaarEncoder: ("gop=lp-g4d3t1,", "gop=8,"),
    VtmEncoder: ("encoder_lowdelay_P_vtm.cfg", "encoder_randomaccess_vtm.cfg"),
    HmEncoder: ("encoder_lowdelay_P_main.cfg", "encoder_randomaccess_main.cfg"),
}

# And what it has more for a key picture that is 10 finer: behind what.
FINER: dict[type[BaseEncoder], tuple[str, str]] = {
    FfmpegVvencEncoder: ("poc0idr=1:threads=0", ":intraqpoffset=-10:mctf=0:bim=0"),
    VvencFFappEncoder: ("--POC0IDR=1", " --IntraQPOffset=-10 --MCTF=0 --BIM=0"),
    FfmpegX265Encoder: ("qp=37", ":ipratio=3.1748"),
    FfmpegKvazaarEncoder: ("gop=8,vps-period=0", ",intra-qp-offset=-10"),
    VtmEncoder: ("--DecodingRefreshType=0", " --IntraQPOffset=-10"),
    HmEncoder: ("--DecodingRefreshType=0", " --IntraQPOffset=-10"),
}


@pytest.mark.parametrize("kind", list(OWN))
def test_commands(kind: type[BaseEncoder], make_picture: MakePicture, tmp_path: Path) -> None:
    (tmp_path / "cfg").mkdir()
    for name in ("lowdelay_P_vtm", "lowdelay_P_main", "randomaccess_vtm", "randomaccess_main"):
        (tmp_path / "cfg" / f"encoder_{name}.cfg").touch()

    def command(request: EncodeRequest) -> str:
        return " ".join(kind().command(request, tmp_path / "program", SOURCE, TARGET))

    low_delay = EncodeRequest((make_picture(),) * 3, qp=37, fps=Fraction(30), structure="low_delay")
    request = replace(low_delay, structure="random_access")
    before, after = OWN[kind]
    assert before in command(low_delay)
    assert command(request) == command(low_delay).replace(before, after)
    place, more = FINER[kind]
    assert command(replace(request, key_qp=27)) == command(request).replace(place, place + more)


@pytest.mark.program
@pytest.mark.parametrize(("codec", "name"), PROGRAMS)
@pytest.mark.parametrize("count", [1, 2, 3, 21])
def test_pictures_come_out_in_output_order(codec: Codec, name: str, count: int) -> None:
    """From an IDR picture alone, and from other streams joined to them."""
    pictures = drifting(count)
    request = EncodeRequest(pictures, 30, structure="random_access")
    encoder, decoder = find_encoder(codec, name), find_decoder(codec)
    stream = encoder.encode(request).stream
    assert summarise(stream, codec).parameter_sets_first
    units = list(access_units(split_annex_b(stream, SeiCodec(codec))))
    first, *others = (any(nal.is_idr for nal in unit) for unit in units)
    assert first
    assert not any(any(nal.is_irap for nal in unit) for unit in units[1:])
    assert len(others) == count - 1
    places = output_places(stream, codec)
    assert sorted(places) == list(range(count))
    assert places[0] == 0
    assert (places != sorted(places)) == (count > 2)
    decoded = decoder.decode(DecodeRequest(stream, expected_pictures=count)).pictures
    for source, picture in zip(pictures, decoded, strict=True):
        errors = [np.mean((other.y.astype(float) - picture.y) ** 2) for other in pictures]
        assert min(errors) == np.mean((source.y.astype(float) - picture.y) ** 2)
    between = encoder.encode(EncodeRequest(drifting(2), 30, structure="low_delay")).stream
    joined = stream + between + stream
    assert output_places(joined, codec) == [
        *places,
        count,
        count + 1,
        *(count + 2 + place for place in places),
    ]
    whole = decoder.decode(DecodeRequest(joined, expected_pictures=2 * count + 2)).pictures
    for start in (0, count + 2):
        for number in range(count):
            np.testing.assert_array_equal(whole[start + number].y, decoded[number].y)


@pytest.mark.program
@pytest.mark.parametrize(("codec", "name"), PROGRAMS)
def test_it_takes_fewer_bits_than_low_delay(codec: Codec, name: str) -> None:
    """At no larger an error."""
    pictures = drifting(40)
    request = EncodeRequest(pictures, 32, structure="low_delay")
    sizes, errors = [], []
    for each in (request, replace(request, structure="random_access")):
        stream = find_encoder(codec, name).encode(each).stream
        decoded = find_decoder(codec).decode(DecodeRequest(stream)).pictures
        sizes.append(len(stream))
        errors.append(
            np.mean(
                [
                    np.mean((source.y.astype(float) - picture.y) ** 2)
                    for source, picture in zip(pictures, decoded, strict=True)
                ]
            )
        )
    assert sizes[1] < 0.95 * sizes[0]
    assert errors[1] < 1.1 * errors[0]


@pytest.mark.program
@pytest.mark.parametrize(("codec", "name"), PROGRAMS)
@pytest.mark.parametrize("key_qp", [22, 40])
def test_the_key_picture_has_the_qp_asked_for(codec: Codec, name: str, key_qp: int) -> None:
    pictures = drifting(10)
    request = EncodeRequest(pictures, 34, structure="random_access", key_qp=key_qp)
    assert slice_qps(find_encoder(codec, name).encode(request).stream, codec)[0] == key_qp


def slice_offsets(stream: bytes, codec: Codec, kinds: range) -> list[int]:
    """Where the payloads of slices of these types start."""
    return [unit.offset + 2 for unit in nal_units(stream, codec) if unit.type in kinds]


@pytest.mark.program
def test_pictures_are_shown_that_an_idr_picture_of_hevc_would_take_away() -> None:
    encoder, decoder = find_encoder("hevc", "ffmpeg-libx265"), find_decoder("hevc")
    stream = encoder.encode(EncodeRequest(drifting(9), 30, structure="random_access")).stream
    stream = stream + stream
    forgetful = bytearray(stream)
    _, second = slice_offsets(stream, "hevc", range(19, 21))
    forgetful[second] |= 0x40  # no_output_of_prior_pics_flag
    whole, decoded = (decoder.decode(DecodeRequest(bytes(each))) for each in (stream, forgetful))
    assert same_pictures(whole, decoded)


@pytest.mark.program
@pytest.mark.parametrize("copies", [2, 20])
def test_pictures_are_shown_that_an_idr_picture_of_vvc_would_take_away(copies: int) -> None:
    encoder, decoder = find_encoder("vvc", "ffmpeg-libvvenc"), find_decoder("vvc")
    stream = encoder.encode(EncodeRequest(drifting(9), 30, structure="random_access")).stream
    stream *= copies
    forgetful = bytearray(stream)
    second = slice_offsets(stream, "vvc", range(7, 9))[1]
    assert forgetful[second : second + 4] == bytes.fromhex("c4012783")
    forgetful[second + 2] |= 0x40  # sh_no_output_of_prior_pics_flag, in this encoder's headers
    if copies == 20:
        with pytest.raises(
            OutputInvalidError, match=r"decoded 175 of 180 .* split the stream there"
        ):
            decoder.decode(DecodeRequest(bytes(forgetful)))
        return
    whole, decoded = (decoder.decode(DecodeRequest(bytes(each))) for each in (stream, forgetful))
    assert same_pictures(whole, decoded)


def same_pictures(first: DecodeResult, second: DecodeResult) -> bool:
    return len(first.pictures) == len(second.pictures) and all(
        np.array_equal(one.y, other.y)
        for one, other in zip(first.pictures, second.pictures, strict=True)
    )


@pytest.mark.parametrize("codec", ["hevc", "vvc"])
def test_sequences_are_streams_of_their_own(codec: Codec) -> None:
    """With the parameter sets of those before."""

    def unit(kind: int, text: bytes) -> bytes:
        header = bytes([kind << 1, 1]) if codec == "hevc" else bytes([0, kind << 3 | 1])
        return b"\0\0\0\1" + header + text

    idr, trail, sps, pps, end = (
        unit(kind, text)
        for kind, text in zip(
            (20, 1, 33, 34, 36) if codec == "hevc" else (8, 0, 15, 16, 21),
            (b"\xc0idr", b"\x80trail", b"sps", b"pps", b""),
            strict=True,
        )
    )
    cra = unit(21 if codec == "hevc" else 9, b"\x80cra")
    stream = sps + pps + idr + trail + idr + trail + cra + pps + idr + end + cra + trail
    assert coded_sequences(stream, codec, 4) == [
        sps + pps + idr + trail,
        sps + pps + idr + trail + cra,
        sps + pps + pps + idr + end,
        sps + pps + pps + cra + trail,
    ]
    assert coded_sequences(stream, codec, 3) == []
