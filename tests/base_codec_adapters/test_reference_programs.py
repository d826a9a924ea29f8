"""The real VTM and HM, where they are found: `GFVC_VTM_ENCODER` and the others name them."""

from __future__ import annotations

import numpy as np
import pytest

from base_codec_adapters import (
    BaseDecoder,
    BaseEncoder,
    Codec,
    DecodeRequest,
    EncodeRequest,
    ProgramNotFoundError,
    Structure,
    find_decoder,
    find_encoder,
)
from sei import Codec as SeiCodec
from sei import split_annex_b
from tests.base_codec_adapters.conftest import MakePicture
from tests.base_codec_adapters.streams import nal_unit

pytestmark = pytest.mark.program


@pytest.fixture(params=[("vvc", "vtm"), ("hevc", "hm")], ids=lambda parameters: parameters[1])
def programs(request: pytest.FixtureRequest) -> tuple[Codec, BaseEncoder, BaseDecoder]:
    codec, name = request.param
    try:
        return codec, find_encoder(codec, name), find_decoder(codec, name)
    except ProgramNotFoundError as error:
        pytest.skip(error.summary)


@pytest.mark.parametrize("structure", ["intra", "low_delay"])
def test_there_and_back(
    programs: tuple[Codec, BaseEncoder, BaseDecoder],
    structure: Structure,
    make_picture: MakePicture,
) -> None:
    """Their own decoder and ffmpeg's give the same pictures, in their order."""
    codec, encoder, decoder = programs
    pictures = tuple(make_picture(72, 58, shade) for shade in (60, 200, 130))
    stream = encoder.encode(EncodeRequest(pictures, qp=30, structure=structure)).stream
    units = split_annex_b(stream, SeiCodec(codec))
    assert sum(unit.is_idr for unit in units) == (3 if structure == "intra" else 1)
    own, other = (
        each.decode(DecodeRequest(stream, expected_pictures=3)).pictures
        for each in (decoder, find_decoder(codec))
    )
    for source, first, second in zip(pictures, own, other, strict=True):
        assert float(np.abs(source.y.astype(int) - first.y).mean()) < 2
        for plane in "yuv":
            np.testing.assert_array_equal(getattr(first, plane), getattr(second, plane))


def test_decoders_do_not_see_what_would_end_them(
    programs: tuple[Codec, BaseEncoder, BaseDecoder], make_picture: MakePicture
) -> None:
    """A face message that is none, one that is cut off, a second layer, types of others."""
    codec, encoder, decoder = programs
    stream = encoder.encode(EncodeRequest((make_picture(),), qp=30)).stream
    prefix, suffix = (39, 40) if codec == "hevc" else (23, 24)
    strange = (
        nal_unit(codec, prefix, b"\xdf\x04\x01\x02\x03\x04\x80")
        + nal_unit(codec, suffix, b"\xdf\x40\x80")
        + nal_unit(codec, suffix, b"\xe0\x02\xff\xff\x80")
        + nal_unit(codec, 62 if codec == "hevc" else 30, b"\x12\x34")
        + nal_unit(codec, 1, b"\x80\x12\x34", layer=1)
    )
    plain = decoder.decode(DecodeRequest(stream, expected_pictures=1)).pictures[0]
    woven = decoder.decode(DecodeRequest(strange + stream + strange, expected_pictures=1))
    np.testing.assert_array_equal(woven.pictures[0].y, plain.y)
