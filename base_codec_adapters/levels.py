"""Levels of VVC and HEVC: which one a decoder must have for a size and rate of pictures.

Tables A.8 and A.9 of Rec. ITU-T H.265, tables A.1 and A.2 of H.266; the limits are those of the
main tier and of the profiles Main and Main 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from base_codec_adapters.byte_stream import Codec
from base_codec_adapters.errors import RequestInvalidError


@dataclass(frozen=True)
class Level:
    """One level: its name, such as "2.1", and the code that the parameter sets carry.

    ``picture_samples`` is MaxLumaPs in luma samples, ``sample_rate`` is MaxLumaSr in luma samples a
    second, ``bit_rate`` is MaxBR of the main tier in bits a second.
    """

    name: str
    code: int
    picture_samples: int
    sample_rate: int
    bit_rate: int


# Name, MaxLumaPs, MaxLumaSr, MaxBR in 1000 bits a second. The two standards share these rows.
_ROWS = (
    ("1", 36_864, 552_960, 128),
    ("2", 122_880, 3_686_400, 1_500),
    ("2.1", 245_760, 7_372_800, 3_000),
    ("3", 552_960, 16_588_800, 6_000),
    ("3.1", 983_040, 33_177_600, 10_000),
    ("4", 2_228_224, 66_846_720, 12_000),
    ("4.1", 2_228_224, 133_693_440, 20_000),
    ("5", 8_912_896, 267_386_880, 25_000),
    ("5.1", 8_912_896, 534_773_760, 40_000),
    ("5.2", 8_912_896, 1_069_547_520, 60_000),
    ("6", 35_651_584, 1_069_547_520, 60_000),
    ("6.1", 35_651_584, 2_139_095_040, 120_000),
    ("6.2", 35_651_584, 4_278_190_080, 240_000),
)


def _level(codec: Codec, name: str, picture_samples: int, sample_rate: int, rate: int) -> Level:
    """Code: 30 times the number in H.265 (A.4.1), 16 * major + 3 * minor in H.266 (A.4.1)."""
    major, _, minor = name.partition(".")
    code = (30 if codec == "hevc" else 16) * int(major) + 3 * int(minor or 0)
    return Level(name, code, picture_samples, sample_rate, 1000 * rate)


_VVC_ONLY = ("6.3", 80_216_064, 4_812_963_840, 320_000)

LEVELS: dict[Codec, tuple[Level, ...]] = {
    "hevc": tuple(_level("hevc", *row) for row in _ROWS),
    "vvc": tuple(_level("vvc", *row) for row in (*_ROWS, _VVC_ONLY)),
}
"""The levels of each codec, the smallest first."""


# maxDpbPicBuf: decoded pictures that every level has room for, whatever their size.
_DECODED_PICTURES: dict[Codec, int] = {"hevc": 6, "vvc": 8}
_MOST_DECODED_PICTURES = 16


def room_for_pictures(codec: Codec, level: Level, samples: int) -> int:
    """Decoded pictures of so many luma samples that a decoder of a level keeps, at the least.

    In HEVC this is MaxDpbSize (H.265 A.4.2). Room for more small pictures in VVC is not counted.
    """
    least = _DECODED_PICTURES[codec]
    if codec == "hevc":
        for quarters in (1, 2, 3):
            if 4 * samples <= quarters * level.picture_samples:
                return min(4 * least // quarters, _MOST_DECODED_PICTURES)
    return least


def smallest_level(
    codec: Codec, width: int, height: int, fps: Fraction, decoded_pictures: int = 1
) -> Level:
    """The smallest level that allows pictures of a size, in luma samples, at a rate.

    A picture has at most MaxLumaPs samples, no side longer than the root of 8 times that, and
    there are at most MaxLumaSr samples a second (H.265 and H.266 A.4.1, A.4.2). So many
    `decoded_pictures` must be kept at a time, the one being decoded among them.

    Raises:
        RequestInvalidError: no level does.
    """
    samples = width * height
    for level in LEVELS[codec]:
        if (
            samples <= level.picture_samples
            and max(width, height) ** 2 <= 8 * level.picture_samples
            and samples * fps <= level.sample_rate
            and decoded_pictures <= room_for_pictures(codec, level, samples)
        ):
            return level
    raise RequestInvalidError(
        f"{width}x{height} at {float(fps):g} pictures a second is more than any level of "
        f"{codec.upper()} allows: give smaller pictures or fewer"
    )
