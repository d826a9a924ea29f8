"""The real encoders and decoders of imageio-ffmpeg's program."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters import (
    BT709_LIMITED,
    BaseDecoder,
    BaseEncoder,
    Codec,
    ColourDescription,
    DecodeRequest,
    EncodeRequest,
    Picture420,
    ProgramFailedError,
    find_decoder,
    find_encoder,
)
from tests.base_codec_adapters.conftest import MakePicture
from tests.base_codec_adapters.tracing import slice_qps, trace

pytestmark = pytest.mark.program


@dataclass(frozen=True)
class Programs:
    codec: Codec
    encoder: BaseEncoder
    decoder: BaseDecoder


@pytest.fixture(
    params=[("vvc", "ffmpeg-libvvenc"), ("hevc", "ffmpeg-libx265"), ("hevc", "ffmpeg-libkvazaar")],
    ids=lambda parameters: parameters[1],
)
def programs(request: pytest.FixtureRequest) -> Programs:
    codec, name = request.param
    return Programs(codec, find_encoder(codec, name, timeout=120), find_decoder(codec, timeout=120))


def psnr(first: Picture420, second: Picture420, plane: str = "y") -> float:
    error = getattr(first, plane).astype(float) - getattr(second, plane).astype(float)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def nal_types(stream: bytes, codec: Codec) -> list[int]:
    units = re.split(b"\x00\x00\x00?\x01", stream)[1:]
    if codec == "hevc":
        return [unit[0] >> 1 for unit in units]
    return [unit[1] >> 3 for unit in units]


@pytest.mark.parametrize("size", [(64, 64), (256, 256), (640, 360), (258, 130)])
def test_one_picture(size: tuple[int, int], programs: Programs, make_picture: MakePicture) -> None:
    picture = make_picture(*size)
    coded = programs.encoder.encode(EncodeRequest((picture,), qp=30))
    decoded = programs.decoder.decode(DecodeRequest(coded.stream, expected_pictures=1))
    assert len(decoded.pictures) == 1
    assert (decoded.pictures[0].width, decoded.pictures[0].height) == size
    assert decoded.bit_depth == coded.bit_depth == (10 if programs.codec == "vvc" else 8)
    assert all(psnr(decoded.pictures[0], picture, plane) > 36 for plane in "yuv")
    # Parameter sets, one IDR picture, and nothing else.
    kinds = nal_types(coded.stream, programs.codec)
    if programs.codec == "vvc":
        assert kinds[:2] == [15, 16]
        assert kinds[-1] in (7, 8)
        assert set(kinds[2:-1]) <= {17}  # the filter coefficients of the adaptive loop filter
    else:
        assert kinds[:3] == [32, 33, 34]
        assert kinds[3:] in ([19], [20])
    headers = len(coded.stream) - len(re.split(b"\x00\x00\x00?\x01", coded.stream)[-1])
    assert headers < 110


def test_three_pictures_keep_their_order(programs: Programs, make_picture: MakePicture) -> None:
    """In decoding order, too: each picture is an IDR picture."""
    shades = (200, 60, 130)
    pictures = tuple(make_picture(128, 64, shade) for shade in shades)
    coded = programs.encoder.encode(EncodeRequest(pictures, qp=34))
    decoded = programs.decoder.decode(DecodeRequest(coded.stream, expected_pictures=3))
    means = [float(picture.y.mean()) for picture in decoded.pictures]
    assert means == pytest.approx([float(picture.y.mean()) for picture in pictures], abs=1)
    kinds = nal_types(coded.stream, programs.codec)
    random_access = {7, 8} if programs.codec == "vvc" else {19, 20}
    assert sum(kind in random_access for kind in kinds) == 3
    parameter_sets = 15 if programs.codec == "vvc" else 33
    assert kinds.count(parameter_sets) == 3


def test_x265_codes_idr_pictures_without_leading_ones(make_picture: MakePicture) -> None:
    """Each is IDR_N_LP, and signalled with the profile that predicted pictures have too."""
    encoder = find_encoder("hevc", "ffmpeg-libx265")
    request = EncodeRequest(tuple(make_picture(64, 64, shade) for shade in (60, 200, 130)), qp=34)
    intra = encoder.encode(request).stream
    assert nal_types(intra, "hevc") == [32, 33, 34, 20] * 3
    predicted = encoder.encode(replace(request, structure="low_delay")).stream
    profiles = [
        [value for key, value in trace(stream, "hevc") if key.startswith("general_profile_")]
        for stream in (intra, predicted)
    ]
    # general_profile_space and general_profile_idc, and 32 flags of compatibility.
    assert profiles[0][:34] == profiles[1][:34] == [0, 1, 0, 1, 1, *[0] * 29]


def test_streams_may_be_concatenated(programs: Programs, make_picture: MakePicture) -> None:
    pictures = [make_picture(128, 64, shade) for shade in (60, 200, 130)]
    streams = [programs.encoder.encode(EncodeRequest((p,), qp=34)).stream for p in pictures]
    whole = programs.decoder.decode(DecodeRequest(b"".join(streams), expected_pictures=3))
    for stream, together in zip(streams, whole.pictures, strict=True):
        (alone,) = programs.decoder.decode(DecodeRequest(stream, expected_pictures=1)).pictures
        for plane in "yuv":
            assert np.array_equal(getattr(alone, plane), getattr(together, plane))


def test_same_input_gives_the_same_bytes(programs: Programs, make_picture: MakePicture) -> None:
    request = EncodeRequest((make_picture(128, 64), make_picture(128, 64, 90)), qp=34)
    first = programs.encoder.encode(request)
    second = programs.encoder.encode(request)
    assert first.stream == second.stream


def test_quantisation_parameter_means_the_same(
    programs: Programs, make_picture: MakePicture
) -> None:
    """Every slice is coded at the QP asked for: no intra offset, no adaptation."""
    for qp in (22, 37):
        request = EncodeRequest((make_picture(128, 64),), qp=qp)
        coded = programs.encoder.encode(request)
        assert slice_qps(coded.stream, programs.codec) == [qp]


@pytest.mark.parametrize(
    "colour", [BT709_LIMITED, ColourDescription(9, 14, 9, full_range=True)], ids=["709", "2020"]
)
def test_colour_description_is_signalled(
    colour: ColourDescription, programs: Programs, make_picture: MakePicture
) -> None:
    """In the video usability information; the samples stay as they are."""
    picture = make_picture(64, 64)
    coded = programs.encoder.encode(EncodeRequest((picture,), qp=20, colour=colour))
    elements = dict(trace(coded.stream, programs.codec))
    if programs.codec == "vvc":
        names = ["vui_colour_primaries", "vui_transfer_characteristics", "vui_matrix_coeffs"]
        names.append("vui_full_range_flag")
    else:
        names = ["colour_primaries", "transfer_characteristics", "matrix_coefficients"]
        names.append("video_full_range_flag")
    signalled = [elements[name] for name in names]
    assert signalled == [colour.primaries, colour.transfer, colour.matrix, colour.full_range]
    (decoded,) = programs.decoder.decode(DecodeRequest(coded.stream)).pictures
    assert psnr(decoded, picture) > 40


def suffix_sei(codec: Codec, payload: bytes) -> bytes:
    header = b"\x50\x01" if codec == "hevc" else b"\x00\xc1"
    return b"\x00\x00\x01" + header + bytes([223, len(payload)]) + payload + b"\x80"


def test_unknown_sei_messages_are_ignored(programs: Programs, make_picture: MakePicture) -> None:
    """Payload type 223 in a suffix SEI NAL unit after each picture, in strict decoding."""
    coded = programs.encoder.encode(EncodeRequest((make_picture(64, 64),), qp=34))
    message = suffix_sei(programs.codec, bytes(range(1, 60)))
    plain = programs.decoder.decode(DecodeRequest(coded.stream * 2, expected_pictures=2))
    woven = (coded.stream + message * 3) * 2
    decoded = programs.decoder.decode(DecodeRequest(woven, expected_pictures=2))
    for first, second in zip(plain.pictures, decoded.pictures, strict=True):
        assert np.array_equal(first.y, second.y)


def test_cut_off_stream(programs: Programs, make_picture: MakePicture) -> None:
    """Lenient decoding gives the pictures before the cut."""
    coded = [
        programs.encoder.encode(EncodeRequest((make_picture(128, 64, shade),), qp=24)).stream
        for shade in (60, 200)
    ]
    cut = coded[0] + coded[1][: len(coded[1]) // 2]
    decoded = programs.decoder.decode(DecodeRequest(cut, lenient=True))
    assert decoded.pictures[0].y.mean() == pytest.approx(make_picture(128, 64, 60).y.mean(), abs=1)
    if programs.codec == "vvc":
        assert len(decoded.pictures) == 1
        with pytest.raises(ProgramFailedError, match="exit status"):
            programs.decoder.decode(DecodeRequest(cut))


def test_wrong_hash_is_an_error(make_picture: MakePicture) -> None:
    """A decoded picture hash SEI message with an MD5 of zeros."""
    encoder, decoder = find_encoder("hevc", "ffmpeg-libkvazaar"), find_decoder("hevc")
    stream = encoder.encode(EncodeRequest((make_picture(64, 64),), qp=34)).stream
    # Each zero pair is followed by an emulation prevention byte.
    md5 = b"\x00" + b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff" * 3
    wrong = stream + b"\x00\x00\x01\x50\x01" + bytes([132, len(md5)]) + md5 + b"\x80"
    with pytest.raises(ProgramFailedError, match=r"(?i)checksum"):
        decoder.decode(DecodeRequest(wrong))
    assert len(decoder.decode(DecodeRequest(wrong, lenient=True)).pictures) == 1


def test_refused_size(make_picture: MakePicture) -> None:
    """What the library says reaches the first line of the error."""
    encoder = find_encoder("hevc", "ffmpeg-libx265")
    with pytest.raises(ProgramFailedError, match=r"\A\S+: exit status \d+: .*too small"):
        encoder.encode(EncodeRequest((make_picture(8, 8),), qp=34))


def test_hevc_keeps_pace(make_picture: MakePicture) -> None:
    """A picture costs one start of the program: far from what a second probe would add."""
    encoder, decoder = find_encoder("hevc"), find_decoder("hevc")
    request = EncodeRequest((make_picture(256, 256),), qp=37)
    stream = encoder.encode(request).stream
    start = time.monotonic()
    for _ in range(3):
        encoder.encode(request)
        decoder.decode(DecodeRequest(stream))
    assert time.monotonic() - start < 6


def test_streams_of_the_reference_software(shared: Path) -> None:
    """VTM's streams with GFV messages: its parameter sets are read, its pictures decode."""
    decoder = find_decoder("vvc")
    paths = sorted((shared / "vectors" / "gfv").glob("*.266"))
    assert paths
    for path in paths:
        decoded = decoder.decode(DecodeRequest(path.read_bytes(), expected_pictures=1))
        assert (decoded.pictures[0].width, decoded.pictures[0].height) == (64, 64), path
        assert decoded.bit_depth == 10
