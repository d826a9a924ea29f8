from __future__ import annotations

import io

import pytest

from base_codec_adapters.byte_stream import PictureFormat
from base_codec_adapters.decoded_pictures import read_frame_header, read_header


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"YUV4MPEG2 W64 H32\n", (64, 32, 8)),
        (b"YUV4MPEG2 W64 H32 F25:1 Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\n", (64, 32, 8)),
        (b"YUV4MPEG2 H32 W64 C420jpeg\n", (64, 32, 8)),
        (b"YUV4MPEG2 W64 H32 F25:1 C420p10 XYSCSS=420P10\n", (64, 32, 10)),
    ],
)
def test_headers(header: bytes, expected: tuple[int, int, int]) -> None:
    assert read_header(io.BytesIO(header)) == PictureFormat(*expected)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "not a YUV4MPEG2 file"),
        (b"\x00\x01\x02\n", "not a YUV4MPEG2 file"),
        (b"YUV4MPEG2 W64 H32", "not a YUV4MPEG2 file"),
        (b"YUV4MPEG2 " + b"X" * 2000 + b"\n", "not a YUV4MPEG2 file"),
        (b"YUV4MPEG2 W64\n", "without a picture size"),
        (b"YUV4MPEG2 W64 Hx\n", "without a picture size"),
        (b"YUV4MPEG2 W64 H32 C422\n", "samples are 422, not 4:2:0"),
        (b"YUV4MPEG2 W64 H32 Cmono\n", "samples are mono, not 4:2:0"),
    ],
)
def test_wrong_headers(header: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_header(io.BytesIO(header))


def test_frame_headers() -> None:
    assert read_frame_header(io.BytesIO(b"FRAME\n"))
    assert read_frame_header(io.BytesIO(b"FRAME Ip\n"))
    assert not read_frame_header(io.BytesIO(b""))
    for wrong in (b"FRAME", b"\x10\x10\n"):
        with pytest.raises(ValueError, match="no YUV4MPEG2 frame header"):
            read_frame_header(io.BytesIO(wrong))
