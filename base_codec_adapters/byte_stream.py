"""Just enough of the Annex B byte stream to check what a program was given or has written.

It finds where coded pictures start and reads the picture size and bit depth from the sequence
parameter sets (H.265 7.3.2.2, H.266 7.3.2.4), so that a stream is judged before a decoder allocates
anything for it, and an encoder's output without decoding it. Layers other than the base layer are
passed over, as single-layer decoders do, and left out of what a decoder is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from base_codec_adapters.errors import StreamInvalidError

Codec = Literal["vvc", "hevc"]

_START_CODE = b"\x00\x00\x01"

# nal_unit_type: H.265 table 7-1, H.266 table 5.
SEQUENCE_PARAMETER_SET = {"hevc": 33, "vvc": 15}
PICTURE_PARAMETER_SET = {"hevc": 34, "vvc": 16}
SLICES = {
    "hevc": frozenset([*range(10), *range(16, 22)]),
    "vvc": frozenset([*range(4), *range(7, 11)]),
}
VVC_PICTURE_HEADER = 19
END_OF_SEQUENCE = {"hevc": 36, "vvc": 21}
# nal_unit_type of random access pictures of HEVC, and what the first byte of their slices says
# (7.3.6.1): after first_slice_segment_in_pic_flag, no_output_of_prior_pics_flag.
_HEVC_RANDOM_ACCESS = range(16, 24)
_NO_OUTPUT_OF_PRIOR = 0x40

# What the pictures are decoded from: slices, parameter sets (VPS, SPS, PPS; APS of VVC), picture
# headers and ends of sequences. Not among them are delimiters of access units (decoders find these
# without, and ffmpeg's stops at a malformed one), SEI messages, filler data, and the types that are
# reserved or left to others (48 to 63 of HEVC, where Dolby Vision keeps its enhancement).
_NEEDED = {
    "hevc": SLICES["hevc"] | frozenset([*range(32, 35), 36, 37]),
    "vvc": SLICES["vvc"] | frozenset([*range(14, 20), 21, 22]),
}
_SUFFIX_SEI = {"hevc": 40, "vvc": 24}
_DECODED_PICTURE_HASH = 132
_RBSP_TRAILING = 0x80

# All that is read here lies within; a longer parameter set is not worth the time.
PARAMETER_SET_BYTES = 4096


@dataclass(frozen=True)
class PictureFormat:
    """Size in luma samples after cropping to the conformance window, and bits of a sample."""

    width: int
    height: int
    bit_depth: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.bit_depth} bits"


@dataclass(frozen=True)
class SequenceParameters:
    """What is read of a sequence parameter set.

    ``number`` is its identifier, ``coded_size`` (width, height) before cropping; ``rest`` are the
    bits after the depth of samples.
    """

    number: int
    format: PictureFormat
    coded_size: tuple[int, int]
    rest: Bits


@dataclass(frozen=True)
class NalUnit:
    """A NAL unit: the byte of its header in the stream, type and layer, header and payload."""

    offset: int
    type: int
    layer: int
    header: bytes
    payload: bytes

    @property
    def temporal_id(self) -> int:
        """TemporalId."""
        return (self.header[1] & 7) - 1


def most_samples(parameter_sets: bytes, codec: Codec) -> int:
    """Luma samples of the largest pictures that sequence parameter sets speak of; 0 without any.

    Raises:
        StreamInvalidError: one is damaged, or not 4:2:0.
    """
    formats = (
        read_sequence(unit, codec).format
        for unit in nal_units(parameter_sets, codec)
        if unit.layer == 0 and unit.type == SEQUENCE_PARAMETER_SET[codec]
    )
    return max((each.width * each.height for each in formats), default=0)


def base_layer(stream: bytes, codec: Codec, *, hashes: bool) -> Iterator[bytes]:
    """The NAL units of a byte stream that the pictures of its base layer are decoded from.

    Each comes with its start code. With ``hashes`` there are also the SEI NAL units that hold a
    decoded picture hash and nothing else: another message that is malformed or unknown does
    not get in the way of the pictures. A random access picture of HEVC that says that pictures
    before it which wait to be shown are not (no_output_of_prior_pics_flag) no longer does.

    Raises:
        StreamInvalidError: it does not start with a start code, or has a NAL unit without a header.
    """
    for unit in nal_units(stream, codec):
        needed = unit.type in _NEEDED[codec] or (hashes and _is_picture_hash(unit, codec))
        if unit.layer == 0 and needed:
            yield b"\x00" + _START_CODE + unit.header + _showing_all(unit, codec)


def _showing_all(unit: NalUnit, codec: Codec) -> bytes:
    """The payload of a NAL unit, without the second bit of a slice that may take pictures away.

    Nothing but the identifier of a parameter set, which is no longer than 13 bits, comes behind it:
    there are no new zeros that would need an emulation prevention byte.
    """
    if codec != "hevc" or unit.type not in _HEVC_RANDOM_ACCESS or not unit.payload:
        return unit.payload
    return bytes([unit.payload[0] & ~_NO_OUTPUT_OF_PRIOR]) + unit.payload[1:]


def _is_picture_hash(unit: NalUnit, codec: Codec) -> bool:
    if unit.type != _SUFFIX_SEI[codec] or unit.payload[:1] != bytes([_DECODED_PICTURE_HASH]):
        return False
    rbsp = unit.payload.replace(b"\x00\x00\x03", b"\x00\x00")
    return len(rbsp) >= 3 and len(rbsp) == 2 + rbsp[1] + 1 and rbsp[-1] == _RBSP_TRAILING


def nal_units(stream: bytes, codec: Codec) -> Iterator[NalUnit]:
    """The NAL units of a byte stream; StreamInvalidError as `base_layer` raises it."""
    start = stream.find(_START_CODE)
    if start < 0 or any(stream[:start]):
        raise StreamInvalidError("byte 0: the stream does not start with an Annex B start code")
    while start >= 0:
        begin = start + len(_START_CODE)
        start = stream.find(_START_CODE, begin)
        data = stream[begin : start if start >= 0 else len(stream)].rstrip(b"\x00")
        if len(data) < 2:
            if start < 0:
                return  # the stream was cut off here
            raise StreamInvalidError(f"byte {begin}: NAL unit without a whole header")
        if codec == "hevc":
            kind, layer = data[0] >> 1 & 0x3F, (data[0] & 1) << 5 | data[1] >> 3
        else:
            kind, layer = data[1] >> 3, data[0] & 0x3F
        yield NalUnit(begin, kind, layer, data[:2], data[2:])


def starts_picture(unit: NalUnit, codec: Codec) -> bool:
    """Whether a NAL unit is the first of a coded picture.

    In HEVC the first bit of a slice is first_slice_segment_in_pic_flag; in VVC it is
    sh_picture_header_in_slice_header_flag, which only the sole slice of a picture may set, and
    other pictures have one picture header NAL unit.
    """
    if codec == "vvc" and unit.type == VVC_PICTURE_HEADER:
        return True
    return unit.type in SLICES[codec] and unit.payload[:1] >= b"\x80"


class Bits:
    """Reader of an RBSP, emulation prevention bytes removed; EOFError at its end."""

    def __init__(self, payload: bytes) -> None:
        data = payload.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(data, "big")
        self._length = 8 * len(data)
        self.position = 0

    def u(self, count: int) -> int:
        """The next bits as a number."""
        end = self.position + count
        if end > self._length:
            raise EOFError
        self.position = end
        return self._value >> self._length - end & (1 << count) - 1

    def ue(self) -> int:
        """An Exp-Golomb code; ValueError where it is longer than any."""
        left = self._length - self.position
        zeros = left - (self._value & (1 << left) - 1).bit_length()
        if zeros > 32:
            raise ValueError("Exp-Golomb code of more than 32 leading zeros")
        self.position += zeros
        return self.u(zeros + 1) - 1

    def align(self) -> None:
        """Go on at the next whole byte."""
        self.u(-self.position % 8)


def read_sequence(unit: NalUnit, codec: Codec) -> SequenceParameters:
    """Read a sequence parameter set; StreamInvalidError where it is malformed or not 4:2:0."""
    bits = Bits(unit.payload[:PARAMETER_SET_BYTES])
    read = _read_hevc_sequence if codec == "hevc" else _read_vvc_sequence
    try:
        return read(bits)
    except EOFError:
        problem = "ends too early"
    except ValueError as error:
        problem = str(error)
    raise StreamInvalidError(f"byte {unit.offset}: sequence parameter set: {problem}")


def _read_hevc_sequence(bits: Bits) -> SequenceParameters:
    bits.u(4)  # sps_video_parameter_set_id
    sub_layers = bits.u(3)
    bits.u(1)  # sps_temporal_id_nesting_flag
    # profile_tier_level(1, sps_max_sub_layers_minus1), 7.3.3: 88 bits of profile, 8 of level.
    bits.u(88 + 8)
    present = [(bits.u(1), bits.u(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.u(2 * (8 - sub_layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
    number = bits.ue()
    _require_420(bits.ue())
    coded = bits.ue(), bits.ue()
    width, height = _crop(bits, *coded)
    luma, chroma = bits.ue() + 8, bits.ue() + 8
    if luma != chroma:
        raise ValueError(f"luma has {luma} bits, chroma {chroma}: only equal depths are supported")
    picture_format = _checked_format(width, height, luma)
    return SequenceParameters(number, picture_format, coded, bits)


def _read_vvc_sequence(bits: Bits) -> SequenceParameters:
    number = bits.u(4)
    bits.u(4)  # sps_video_parameter_set_id
    sub_layers = bits.u(3)
    _require_420(bits.u(2))
    bits.u(2)  # sps_log2_ctu_size_minus5
    if bits.u(1):  # sps_ptl_dpb_hrd_params_present_flag
        _skip_vvc_profile_tier_level(bits, sub_layers)
    bits.u(1)  # sps_gdr_enabled_flag
    if bits.u(1):  # sps_ref_pic_resampling_enabled_flag
        bits.u(1)  # sps_res_change_in_clvs_allowed_flag
    coded = bits.ue(), bits.ue()
    width, height = _crop(bits, *coded)
    if bits.u(1):  # sps_subpic_info_present_flag
        raise ValueError("subpictures are not supported")
    picture_format = _checked_format(width, height, bits.ue() + 8)
    return SequenceParameters(number, picture_format, coded, bits)


def _skip_vvc_profile_tier_level(bits: Bits, sub_layers: int) -> None:
    """profile_tier_level(1, sps_max_sublayers_minus1), H.266 7.3.3."""
    bits.u(7 + 1 + 8 + 1 + 1)
    if bits.u(1):  # gci_present_flag
        bits.u(71)  # the flags and counts up to gci_num_additional_bits
        bits.u(bits.u(8))
    bits.align()
    levels = sum(bits.u(1) for _ in range(sub_layers))
    bits.align()
    bits.u(8 * levels)
    bits.u(32 * bits.u(8))  # general_sub_profile_idc


def _require_420(chroma_format_idc: int) -> None:
    if chroma_format_idc != 1:
        raise ValueError(f"chroma_format_idc is {chroma_format_idc}: only 4:2:0 (1) is supported")


def _crop(bits: Bits, width: int, height: int) -> tuple[int, int]:
    """Read the conformance window, whose offsets count chroma samples, and apply it."""
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= 2 * (left + right)
        height -= 2 * (top + bottom)
    return width, height


def _checked_format(width: int, height: int, bit_depth: int) -> PictureFormat:
    if width <= 0 or height <= 0 or width % 2 or height % 2:
        raise ValueError(f"picture size {width}x{height} is impossible in 4:2:0")
    if bit_depth > 16:
        raise ValueError(f"{bit_depth} bits a sample: at most 16 exist")
    return PictureFormat(width, height, bit_depth)
