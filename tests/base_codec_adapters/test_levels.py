"""Which level a stream needs, and which one the encoders say that it has."""

from __future__ import annotations

from fractions import Fraction

import pytest

from base_codec_adapters import (
    Codec,
    Effort,
    EncodeRequest,
    ProgramNotFoundError,
    RequestInvalidError,
    Structure,
    find_encoder,
)
from base_codec_adapters.levels import room_for_pictures, smallest_level
from tests.base_codec_adapters.conftest import MakePicture
from tests.base_codec_adapters.tracing import trace

# Width, height, pictures a second, and the level worked out by hand from tables A.8 and A.9 of
# H.265 (A.1 and A.2 of H.266 have the same numbers).
BY_HAND = [
    (64, 64, "25", "1"),
    (192, 192, "15", "1"),  # 36864 samples and 552960 a second: both are just what level 1 has
    (192, 192, "16", "2"),
    (192, 200, "1/30", "2"),  # 38400 samples
    (256, 256, "25", "2"),
    (256, 256, "1/30", "2"),
    (256, 256, "60", "2.1"),  # 3.9 million a second, level 2 has 3.7
    (256, 256, "240", "3"),  # 15.7 million
    (512, 480, "30", "2.1"),  # 245760 and 7372800
    (512, 512, "25", "3"),  # 262144
    (544, 64, "15", "2"),  # longer than 543, the root of 8 * 36864
    (536, 64, "15", "1"),  # shorter; 514560 a second
    (1280, 720, "30", "3.1"),
    (1920, 1088, "30", "4"),
    (1920, 1080, "60", "4.1"),
    (3840, 2160, "30", "5"),
    (4096, 2176, "60", "5.1"),
    (4096, 2176, "120", "5.2"),
    (8192, 64, "1", "5"),  # a side between 4222 and 8444
    (8192, 4320, "30", "6"),
    (8192, 4320, "60", "6.1"),
    (8192, 4320, "120", "6.2"),
]

# general_level_idc: H.265 A.4.1 has 30 times the number, H.266 A.4.1 16 * major + 3 * minor.
CODES = {
    "hevc": {"1": 30, "2": 60, "2.1": 63, "3": 90, "3.1": 93, "4": 120, "4.1": 123, "5": 150}
    | {"5.1": 153, "5.2": 156, "6": 180, "6.1": 183, "6.2": 186},
    "vvc": {"1": 16, "2": 32, "2.1": 35, "3": 48, "3.1": 51, "4": 64, "4.1": 67, "5": 80}
    | {"5.1": 83, "5.2": 86, "6": 96, "6.1": 99, "6.2": 102},
}


@pytest.mark.parametrize("codec", ["vvc", "hevc"])
@pytest.mark.parametrize(("width", "height", "fps", "name"), BY_HAND)
def test_smallest_level(codec: Codec, width: int, height: int, fps: str, name: str) -> None:
    level = smallest_level(codec, width, height, Fraction(fps))
    assert (level.name, level.code) == (name, CODES[codec][name])


def test_bit_rates() -> None:
    """MaxBR of the main tier in bits a second."""
    rates = [
        smallest_level("hevc", *size, Fraction(25)).bit_rate for size in ((64, 64), (256, 256))
    ]
    assert rates == [128_000, 1_500_000]
    assert smallest_level("vvc", 8192, 4320, Fraction(120)).bit_rate == 240_000_000


def test_room_for_decoded_pictures() -> None:
    """H.265 A.4.2: 6 pictures of the largest size, 8, 12 and 16 of three quarters and less."""
    level = smallest_level("hevc", 320, 384, Fraction(25))
    assert level.picture_samples == 320 * 384
    most = level.picture_samples
    for samples, room in ((most, 6), (3 * most // 4, 8), (most // 2, 12), (most // 4, 16)):
        assert room_for_pictures("hevc", level, samples) == room
    assert room_for_pictures("hevc", level, 3 * most // 4 + 1) == 6
    assert smallest_level("hevc", 320, 384, Fraction(25), 8).name == "2.1"
    assert smallest_level("vvc", 320, 384, Fraction(25), 8).name == "2"


def test_beyond_every_level() -> None:
    """H.266 has one level more."""
    huge = smallest_level("vvc", 8192, 8192, Fraction(25))
    assert (huge.name, huge.code) == ("6.3", 105)
    with pytest.raises(RequestInvalidError, match="8192x8192 at 25 pictures a second is more than"):
        smallest_level("hevc", 8192, 8192, Fraction(25))
    with pytest.raises(RequestInvalidError, match="more than any level of VVC"):
        smallest_level("vvc", 16384, 8192, Fraction(1))


# What the real programs are asked to code. Pictures are coded in whole blocks of 8: 190x194
# becomes 192x200, past level 1.
CODED = [
    (64, 64, "25", "1"),
    (190, 194, "2", "2"),
    (256, 256, "25", "2"),
    (256, 256, "1/30", "2"),
    (256, 256, "240", "3"),
    (512, 512, "25", "3"),
    (544, 64, "15", "2"),
]

ADAPTERS: list[tuple[Codec, str]] = [
    ("vvc", "ffmpeg-libvvenc"),
    ("vvc", "vvencFFapp"),
    ("vvc", "vtm"),
    ("hevc", "ffmpeg-libx265"),
    ("hevc", "ffmpeg-libkvazaar"),
    ("hevc", "hm"),
]


@pytest.mark.program
@pytest.mark.parametrize(("codec", "name"), ADAPTERS)
@pytest.mark.parametrize("structure", ["intra", "low_delay", "random_access"])
def test_streams_say_what_they_are(
    codec: Codec, name: str, structure: Structure, make_picture: MakePicture
) -> None:
    """Profile Main or Main 10, main tier, and the level that a decoder needs: no less, no more.

    Every level has room for 8 decoded pictures (VVC) or 6 (HEVC), and for 8 of those below.
    """
    try:
        encoder = find_encoder(codec, name)
    except ProgramNotFoundError as error:
        pytest.skip(error.summary)
    asked: list[tuple[Effort, int, int, str, str]] = [("medium", *coded) for coded in CODED]
    asked += [("fast", *CODED[2]), ("slow", *CODED[2]), ("slow", *CODED[5])]
    for effort, width, height, fps, level in asked:
        pictures = (make_picture(width, height), make_picture(width, height, 100))
        request = EncodeRequest(
            pictures, qp=37, fps=Fraction(fps), structure=structure, effort=effort
        )
        elements = trace(encoder.encode(request).stream, codec)
        for element, value in (
            ("general_profile_idc", 1),
            ("general_tier_flag", 0),
            ("general_level_idc", CODES[codec][level]),
        ):
            # In the VPS as well as the SPS of HEVC, and in each of them.
            found = {number for key, number in elements if key == element}
            assert found == {value}, (element, width, height, fps)
        buffering = [value for key, value in elements if "max_dec_pic_buffering_minus1" in key]
        assert buffering
        assert max(buffering) < 8
