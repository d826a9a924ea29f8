"""NAL units of VVC (H.266), HEVC (H.265) and H.264: headers, kinds, emulation prevention."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar, cast

from sei.arguments import BytesLike, as_bytes, as_integer, wrong_kind
from sei.errors import StreamError

MAX_NAL_UNIT_SIZE = 64 * 2**20
"""Longest NAL unit that is read, in bytes; no level of the three codecs comes near it."""

_START_CODE = b"\0\0\1"
_START_CODE_SIZES = (3, 4)
_MAX_ZEROS = 2**30  # far more than are read


class Codec(Enum):
    """Video codec of an elementary stream."""

    VVC = "vvc"
    HEVC = "hevc"
    AVC = "avc"

    # Members are what they are and nothing else: an enumeration's own hash is a call of Python.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What the nal_unit_type values of a codec mean."""

    names: dict[int, str]
    vcl: frozenset[int]
    irap: frozenset[int]
    opens_picture: frozenset[int]
    """VCL types whose first bit after the header says that they start a picture."""
    precedes_picture: frozenset[int]
    """Types that start an access unit when they follow the last VCL NAL unit of a picture."""
    end_of_sequence: int
    end_of_bitstream: int
    prefix_sei: int
    suffix_sei: int | None
    header_size: int


_VVC_NAMES = """
    TRAIL STSA RADL RASL RSV_VCL_4 RSV_VCL_5 RSV_VCL_6 IDR_W_RADL IDR_N_LP CRA GDR RSV_IRAP_11 OPI
    DCI VPS SPS PPS PREFIX_APS SUFFIX_APS PH AUD EOS EOB PREFIX_SEI SUFFIX_SEI FD RSV_NVCL_26
    RSV_NVCL_27 UNSPEC_28 UNSPEC_29 UNSPEC_30 UNSPEC_31
"""

_HEVC_NAMES = """
    TRAIL_N TRAIL_R TSA_N TSA_R STSA_N STSA_R RADL_N RADL_R RASL_N RASL_R RSV_VCL_N10 RSV_VCL_R11
    RSV_VCL_N12 RSV_VCL_R13 RSV_VCL_N14 RSV_VCL_R15 BLA_W_LP BLA_W_RADL BLA_N_LP IDR_W_RADL
    IDR_N_LP CRA RSV_IRAP_VCL22 RSV_IRAP_VCL23 RSV_VCL24 RSV_VCL25 RSV_VCL26 RSV_VCL27 RSV_VCL28
    RSV_VCL29 RSV_VCL30 RSV_VCL31 VPS SPS PPS AUD EOS EOB FD PREFIX_SEI SUFFIX_SEI
"""

_AVC_NAMES = """
    UNSPEC_0 SLICE_NON_IDR SLICE_PARTITION_A SLICE_PARTITION_B SLICE_PARTITION_C SLICE_IDR SEI SPS
    PPS AUD EOS EOB FD SPS_EXTENSION PREFIX_NAL_UNIT SUBSET_SPS DPS RSV_17 RSV_18 SLICE_AUXILIARY
    SLICE_EXTENSION SLICE_EXTENSION_3D RSV_22 RSV_23
"""

_KINDS = {
    # H.266 table 5 and clause 7.4.2.4.3.
    Codec.VVC: _Kinds(
        names=dict(enumerate(_VVC_NAMES.split())),
        vcl=frozenset(range(12)),
        irap=frozenset(range(7, 10)),
        opens_picture=frozenset(range(12)),
        precedes_picture=frozenset({12, 13, 14, 15, 16, 17, 19, 20, 23, 26, 28, 29}),
        end_of_sequence=21,
        end_of_bitstream=22,
        prefix_sei=23,
        suffix_sei=24,
        header_size=2,
    ),
    # H.265 table 7-1 and clause 7.4.2.4.4.
    Codec.HEVC: _Kinds(
        names=dict(enumerate(_HEVC_NAMES.split()))
        | {n: f"RSV_NVCL{n}" for n in range(41, 48)}
        | {n: f"UNSPEC{n}" for n in range(48, 64)},
        vcl=frozenset(range(32)),
        irap=frozenset(range(16, 24)),
        opens_picture=frozenset(range(32)),
        precedes_picture=frozenset({32, 33, 34, 35, 39, *range(41, 45), *range(48, 56)}),
        end_of_sequence=36,
        end_of_bitstream=37,
        prefix_sei=39,
        suffix_sei=40,
        header_size=2,
    ),
    # H.264 table 7-1 and clause 7.4.1.2.3.
    Codec.AVC: _Kinds(
        names=dict(enumerate(_AVC_NAMES.split())) | {n: f"UNSPEC_{n}" for n in range(24, 32)},
        vcl=frozenset(range(1, 6)),
        irap=frozenset({5}),
        opens_picture=frozenset({1, 2, 5}),
        precedes_picture=frozenset({6, 7, 8, 9, *range(14, 19)}),
        end_of_sequence=10,
        end_of_bitstream=11,
        prefix_sei=6,
        suffix_sei=None,
        header_size=1,
    ),
}

_VVC_PICTURE_HEADER = 19
_VVC_WITHOUT_LAYER = frozenset({12, 13, 14, 20, 22})  # OPI, DCI, VPS, AUD, EOB


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header of a NAL unit says; see the properties of `NalUnit`."""

    size: int
    nal_unit_type: int
    layer_id: int
    temporal_id: int
    type_name: str
    is_vcl: bool
    is_irap: bool
    is_prefix_sei: bool
    is_suffix_sei: bool
    is_sei: bool
    opens_picture: bool
    is_picture_header: bool
    precedes_picture: bool
    ends_sequence: bool
    is_idr: bool
    is_unspecified: bool
    has_no_layer: bool
    fault: str | None


@lru_cache(maxsize=2**16)
def _header(codec: Codec, data: bytes) -> _Header:
    """Read the bytes of a header."""
    if codec is Codec.VVC:
        nal_unit_type, layer_id = data[1] >> 3, data[0] & 0x3F
    elif codec is Codec.HEVC:
        nal_unit_type, layer_id = data[0] >> 1 & 0x3F, (data[0] & 1) << 5 | data[1] >> 3
    else:
        nal_unit_type, layer_id = data[0] & 0x1F, 0
    kinds = _KINDS[codec]
    is_prefix_sei = nal_unit_type == kinds.prefix_sei
    is_suffix_sei = nal_unit_type == kinds.suffix_sei
    return _Header(
        len(data),
        nal_unit_type,
        layer_id,
        0 if codec is Codec.AVC else (data[1] & 7) - 1,
        kinds.names[nal_unit_type],
        is_vcl=nal_unit_type in kinds.vcl,
        is_irap=nal_unit_type in kinds.irap,
        is_prefix_sei=is_prefix_sei,
        is_suffix_sei=is_suffix_sei,
        is_sei=is_prefix_sei or is_suffix_sei,
        opens_picture=nal_unit_type in kinds.opens_picture,
        is_picture_header=codec is Codec.VVC and nal_unit_type == _VVC_PICTURE_HEADER,
        precedes_picture=nal_unit_type in kinds.precedes_picture,
        ends_sequence=nal_unit_type in (kinds.end_of_sequence, kinds.end_of_bitstream),
        is_idr=nal_unit_type in kinds.irap and kinds.names[nal_unit_type].startswith("IDR"),
        is_unspecified=kinds.names[nal_unit_type].startswith("UNSPEC"),
        has_no_layer=codec is Codec.VVC and nal_unit_type in _VVC_WITHOUT_LAYER,
        fault=_fault(codec, data),
    )


def _fault(codec: Codec, header: bytes) -> str | None:
    if header[0] & 0x80:
        return "forbidden_zero_bit is 1"
    if codec is Codec.VVC and header[0] & 0x40:
        return "nuh_reserved_zero_bit is 1"
    if codec is not Codec.AVC and not header[1] & 7:
        return "nuh_temporal_id_plus1 is 0"
    return None


T = TypeVar("T")


def _of_header(name: str, kind: type[T], about: str) -> T:
    """A property of a NAL unit that is what its header says, read without a call of Python.

    ``about`` is its docstring.
    """
    return cast(T, property(attrgetter(f"_header.{name}"), doc=about))


@dataclass(frozen=True, slots=True)
class NalUnit:
    """A NAL unit as it stands in a stream, with what is needed to put it back byte for byte.

    ``data`` is header and payload with emulation prevention, without start code. ``offset`` is the
    byte of the NAL unit header in the stream it was read from, None for one that was made.
    ``start_code_size`` is 3 or 4 bytes; ``leading_zeros`` zero bytes stand before the start code
    (only before the first NAL unit of a stream), ``trailing_zeros`` after the NAL unit.

    Raises:
        StreamError: ``data`` is shorter than the header of its codec, or what is around it cannot
            be.
        ArgumentError: ``codec`` is no `Codec`, ``data`` are no bytes.
    """

    codec: Codec
    data: bytes
    offset: int | None = None
    start_code_size: int = 3
    leading_zeros: int = 0
    trailing_zeros: int = 0
    _header: _Header = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.data) is not bytes:
            object.__setattr__(self, "data", as_bytes(self.data, "data of a NAL unit"))
        if not (
            type(self.start_code_size) is int
            and type(self.leading_zeros) is int
            and type(self.trailing_zeros) is int
            and self.start_code_size in _START_CODE_SIZES
            and 0 <= self.leading_zeros <= _MAX_ZEROS
            and 0 <= self.trailing_zeros <= _MAX_ZEROS
        ):
            self._check_spacing()
        size = _KINDS[check_codec(self.codec)].header_size
        header = self.data[:size]
        if len(header) < size:
            raise StreamError(
                f"a NAL unit of {len(self.data)} bytes is shorter than its header", self.offset
            )
        object.__setattr__(self, "_header", _header(self.codec, header))

    def _check_spacing(self) -> None:
        for name in ("start_code_size", "leading_zeros", "trailing_zeros"):
            value = as_integer(getattr(self, name), name)
            object.__setattr__(self, name, value)
            if name == "start_code_size":
                fits, wanted = value in _START_CODE_SIZES, "3 or 4"
            else:
                fits, wanted = 0 <= value <= _MAX_ZEROS, f"within 0..{_MAX_ZEROS}"
            if not fits:
                raise StreamError(f"{name} is {value}, must be {wanted}", self.offset)

    header_size = _of_header("size", int, "Bytes of the NAL unit header: 2, in H.264 1.")
    nal_unit_type = _of_header("nal_unit_type", int, "nal_unit_type.")
    layer_id = _of_header("layer_id", int, "nuh_layer_id; 0 in H.264.")
    has_no_layer = _of_header(
        "has_no_layer",
        bool,
        "Whether its type is of no layer: decoders ignore its nuh_layer_id (H.266, 7.4.2.2).",
    )
    is_unspecified = _of_header(
        "is_unspecified",
        bool,
        "Whether its type is one that the standard leaves to others; decoders ignore it.",
    )
    temporal_id = _of_header(
        "temporal_id",
        int,
        "TemporalId, -1 where the header holds the forbidden nuh_temporal_id_plus1 of 0.",
    )
    header_fault = _of_header(
        "fault",
        cast("type[str | None]", str),
        "What of the header no stream may have, None where all is right.",
    )
    type_name = _of_header(
        "type_name", str, "Name of the type in its standard, without the _NUT of some names."
    )
    is_vcl = _of_header("is_vcl", bool, "Whether it holds coded picture data.")
    is_irap = _of_header(
        "is_irap",
        bool,
        "Whether it holds a slice of an intra random access point picture (H.264: IDR).",
    )
    is_prefix_sei = _of_header(
        "is_prefix_sei",
        bool,
        "Whether it holds SEI messages that go before their picture (H.264: all SEI).",
    )
    is_suffix_sei = _of_header(
        "is_suffix_sei", bool, "Whether it holds SEI messages that follow their picture."
    )
    is_sei = _of_header("is_sei", bool, "Whether it holds SEI messages.")
    precedes_picture = _of_header(
        "precedes_picture",
        bool,
        "Whether an access unit ends before this NAL unit once its picture is complete.",
    )
    ends_sequence = _of_header(
        "ends_sequence",
        bool,
        "Whether it says that a coded video sequence, or the stream, ends with its picture.",
    )
    is_idr = _of_header(
        "is_idr",
        bool,
        "Whether it holds a slice of an IDR picture, which nothing before is needed for.",
    )

    @property
    def starts_picture(self) -> bool:
        """Whether a coded picture starts here.

        VVC: a picture header, or a slice with sh_picture_header_in_slice_header_flag. HEVC:
        first_slice_segment_in_pic_flag. H.264: first_mb_in_slice 0 (no arbitrary slice order).
        """
        header = self._header
        if header.is_picture_header:
            return True
        # All three flags, the code of a zero first_mb_in_slice included, are the first bit.
        return (
            header.opens_picture and len(self.data) > header.size and self.data[header.size] >= 0x80
        )

    @property
    def rbsp(self) -> bytes:
        """Raw byte sequence payload: what follows the header, without emulation prevention."""
        return remove_emulation_prevention(self.data[self.header_size :])

    @property
    def size(self) -> int:
        """Bytes it takes in a byte stream: start code, stuffing zeros and itself."""
        return self.leading_zeros + self.start_code_size + len(self.data) + self.trailing_zeros

    def to_annex_b(self) -> bytes:
        """Bytes of the NAL unit in a byte stream, ``size`` of them.

        Raises:
            StreamError: it cannot be read again: it holds a start code, ends in a zero byte, or is
                longer than `MAX_NAL_UNIT_SIZE`.
        """
        if _START_CODE in self.data:
            raise StreamError(
                "a NAL unit must not hold 00 00 01: its payload lacks emulation prevention "
                "(add_emulation_prevention)",
                self.offset,
            )
        if self.data[-1] == 0:
            raise StreamError(
                "a NAL unit must not end in a zero byte, which readers take for one between NAL "
                "units (trailing_zeros)",
                self.offset,
            )
        if len(self.data) > MAX_NAL_UNIT_SIZE:
            raise StreamError(
                f"a NAL unit of {len(self.data)} bytes, at most {MAX_NAL_UNIT_SIZE} are read",
                self.offset,
            )
        before, after = self.leading_zeros + self.start_code_size - 1, self.trailing_zeros
        return b"".join((bytes(before), b"\1", self.data, bytes(after)))


def check_codec(codec: Codec) -> Codec:
    """The codec; raises `ArgumentError` where it is no `Codec`."""
    if type(codec) is not Codec:
        raise wrong_kind("codec", "a sei.Codec, such as Codec.HEVC", codec)
    return codec


def check_unit(unit: NalUnit) -> NalUnit:
    """The NAL unit; raises `ArgumentError` where it is none."""
    if not isinstance(unit, NalUnit):
        raise wrong_kind("a NAL unit", "a sei.NalUnit", unit)
    return unit


def nal_unit_header(
    codec: Codec, nal_unit_type: int, *, layer_id: int = 0, temporal_id: int = 0
) -> bytes:
    """Header bytes of a NAL unit; H.264 gets nal_ref_idc 0 and knows neither layer nor TemporalId.

    Raises:
        StreamError: a value does not fit into its field.
        ArgumentError: a value is no integer, or ``codec`` no `Codec`.
    """
    check_codec(codec)
    nal_unit_type = as_integer(nal_unit_type, "nal_unit_type")
    layer_id, temporal_id = as_integer(layer_id, "layer_id"), as_integer(temporal_id, "temporal_id")
    if nal_unit_type not in _KINDS[codec].names:
        raise StreamError(f"nal_unit_type {nal_unit_type} does not exist in {codec.value}")
    if not 0 <= layer_id <= 55 or not 0 <= temporal_id <= 6:
        raise StreamError(
            f"nuh_layer_id {layer_id} must be within 0..55, TemporalId {temporal_id} within 0..6"
        )
    if codec is Codec.VVC:
        return bytes((layer_id, nal_unit_type << 3 | temporal_id + 1))
    if codec is Codec.HEVC:
        return (nal_unit_type << 9 | layer_id << 3 | temporal_id + 1).to_bytes(2, "big")
    if layer_id or temporal_id:
        raise StreamError("an H.264 NAL unit header has no layer and no TemporalId")
    return bytes((nal_unit_type,))


def end_of_sequence(codec: Codec) -> NalUnit:
    """The NAL unit that ends a coded video sequence; it has no payload."""
    return NalUnit(codec, nal_unit_header(codec, _KINDS[check_codec(codec)].end_of_sequence))


def irap_delimiter(codec: Codec) -> NalUnit:
    """The NAL unit that may begin an access unit with an IRAP picture, whatever its slices are.

    It is an access unit delimiter (H.266 clause 7.3.2.10, H.265 clause 7.3.2.5). Raises
    `StreamError` for H.264, which has no IRAP pictures.
    """
    if check_codec(codec) is Codec.AVC:
        raise StreamError("an H.264 access unit has no IRAP picture")
    # VVC has a flag for IRAP before the 3 bits of the kinds of slices; 2 stands for all.
    nal_unit_type, payload = (20, 0b1_010_1000) if codec is Codec.VVC else (35, 0b010_10000)
    return NalUnit(codec, nal_unit_header(codec, nal_unit_type) + bytes((payload,)))


def sei_nal_unit_type(codec: Codec, *, suffix: bool) -> int:
    """nal_unit_type of SEI messages; H.264 has one kind for both."""
    kinds = _KINDS[check_codec(codec)]
    if suffix and kinds.suffix_sei is not None:
        return kinds.suffix_sei
    return kinds.prefix_sei


_NEEDS_PREVENTION = re.compile(rb"\0\0(?=[\0-\3])")


def add_emulation_prevention(rbsp: BytesLike) -> bytes:
    """Insert emulation_prevention_three_bytes (H.266 clause 7.4.2.1).

    >>> add_emulation_prevention(bytes.fromhex("00 00 00 00 01")).hex(" ")
    '00 00 03 00 00 03 01'
    """
    escaped = _NEEDS_PREVENTION.sub(b"\0\0\3", as_bytes(rbsp, "an RBSP"))
    # A NAL unit must not end in a zero byte.
    return escaped + b"\3" if escaped.endswith(b"\0") else escaped


def remove_emulation_prevention(data: BytesLike) -> bytes:
    """Undo `add_emulation_prevention`.

    >>> remove_emulation_prevention(bytes.fromhex("00 00 03 00 00 03 01")).hex(" ")
    '00 00 00 00 01'
    """
    return as_bytes(data, "data of a NAL unit").replace(b"\0\0\3", b"\0\0")
