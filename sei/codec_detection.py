"""Telling the codec of a byte stream from its parameter sets, or else from its NAL unit headers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice

from sei.arguments import as_bytes, wrong_kind
from sei.bits import BitReader
from sei.errors import PayloadError, UnknownCodecError, WrongCodecError
from sei.nal import Codec, NalUnit, check_codec, remove_emulation_prevention

UNITS_FOR_GUESS = 256
"""Greatest number of NAL units that are looked at."""

_UNITS_FOR_VOTE = 24
_HEADER_SIZE = {Codec.VVC: 2, Codec.HEVC: 2, Codec.AVC: 1}
_PARAMETER_SET_HEAD = 256  # bytes that are looked at


def guess_codec(units: Iterable[bytes], named: Codec | None = None) -> Codec:
    """Tell the codec from the first NAL units of a stream (``data`` of a `NalUnit`).

    The first run of valid parameter sets of the base layer decides: an SPS, and a PPS that refers
    to it. Layers above the base layer, and types that a standard leaves to others, may stand
    anywhere between. Without such a run, one of layers above does. A stream that has no parameter
    sets is told by its NAL unit headers: those of one codec are hardly ever lawful headers of
    another. No more NAL units are taken than it needs.

    Raises:
        UnknownCodecError: there are no parameter sets, and the headers fit no codec, or two
            equally well.
        WrongCodecError: there are parameter sets, and they are not of the codec that was named.
        ArgumentError: what is given are not bytes of NAL units, or no `Codec`.
    """
    if named is not None:
        check_codec(named)
    if not isinstance(units, Iterable):
        raise wrong_kind("units", "the bytes of NAL units", units)
    runs = {codec: ParameterSets(codec) for codec in Codec}
    votes: Counter[Codec] = Counter(dict.fromkeys(Codec, 0))
    for number, given in enumerate(islice(units, UNITS_FOR_GUESS)):
        data = as_bytes(given, "a NAL unit")
        for codec, run in runs.items():
            if run.complete_with(data):
                return _as_named(codec, named)
            if number < _UNITS_FOR_VOTE:
                votes[codec] += _plausibility(codec, data)
    above = [codec for codec, run in runs.items() if run.complete_above]
    if len(above) == 1:
        return _as_named(above[0], named)
    if named is not None:
        return named
    for codec, run in runs.items():
        # An SPS is worth more than any header, a PPS without one is not.
        votes[codec] += 2 * len(run.sps_ids)
    (best, most), (_, second), _ = votes.most_common()
    if most <= 0 or most == second:
        raise UnknownCodecError(
            "the NAL unit headers do not tell VVC, HEVC and H.264 apart: name the codec (--codec)"
        )
    return best


def _as_named(told: Codec, named: Codec | None) -> Codec:
    if named is not None and named is not told:
        raise WrongCodecError(
            f"its parameter sets are of {told.value}, and --codec says {named.value}; leave it out"
        )
    return told


class ParameterSets:
    """Valid parameter sets that were seen, as one codec would read them."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self.sps_ids: set[int] = set()  # of the base layer
        self._above: set[int] = set()
        self.complete_above = False
        """Whether a PPS of layers above refers to an SPS of these."""

    def complete_with(self, data: bytes) -> bool:
        """Take the next NAL unit; whether, in the base layer, a PPS refers to an SPS before it."""
        if not _is_lawful(self._codec, data):
            return False
        unit = NalUnit(self._codec, data)
        read = _READERS[self._codec].get(unit.type_name)
        if read is None:
            return False
        head = data[unit.header_size : unit.header_size + _PARAMETER_SET_HEAD]
        try:
            sps_id = read(BitReader(remove_emulation_prevention(head)))
        except PayloadError:
            return False
        known = self._above if unit.layer_id else self.sps_ids
        if unit.type_name == "SPS":
            if sps_id is not None:
                known.add(sps_id)
            return False
        self.complete_above |= bool(unit.layer_id) and sps_id in known
        return not unit.layer_id and sps_id in known


def _is_lawful(codec: Codec, data: bytes) -> bool:
    """Whether the header breaks no rule: forbidden and reserved bits, TemporalId."""
    if len(data) < _HEADER_SIZE[codec] or data[0] & 0x80:
        return False
    if codec is Codec.VVC and data[0] & 0x40:
        return False
    return codec is Codec.AVC or bool(data[1] & 7)


# Each gives the seq_parameter_set_id of an SPS, or that which a PPS refers to; None when a value
# is outside its range.


def _hevc_sps(bits: BitReader) -> int | None:
    """H.265 clauses 7.3.2.2.1 and 7.3.3."""
    bits.unsigned(4)  # sps_video_parameter_set_id
    max_sub_layers_minus1 = bits.unsigned(3)
    bits.unsigned(1)
    profile_space = bits.unsigned(2)
    bits.unsigned(6 + 32 + 48)
    level_idc = bits.unsigned(8)
    if max_sub_layers_minus1 > 6 or profile_space or not level_idc >= 30:
        return None
    if max_sub_layers_minus1:
        present = [(bits.unsigned(1), bits.unsigned(1)) for _ in range(max_sub_layers_minus1)]
        bits.unsigned(2 * (8 - max_sub_layers_minus1))
        for profile, level in present:
            if profile or level:
                bits.unsigned(88 * profile + 8 * level)
    sps_id = bits.exp_golomb()
    chroma_format_idc = bits.exp_golomb()
    if chroma_format_idc == 3:
        bits.unsigned(1)
    width, height = bits.exp_golomb(), bits.exp_golomb()
    return sps_id if sps_id <= 15 and chroma_format_idc <= 3 and width and height else None


def _hevc_pps(bits: BitReader) -> int | None:
    """H.265 clause 7.3.2.3.1."""
    pps_id, sps_id = bits.exp_golomb(), bits.exp_golomb()
    return sps_id if pps_id <= 63 and sps_id <= 15 else None


def _vvc_sps(bits: BitReader) -> int | None:
    """H.266 clause 7.3.2.4."""
    sps_id = bits.unsigned(4)
    bits.unsigned(4)
    max_sublayers_minus1 = bits.unsigned(3)
    bits.unsigned(2)
    log2_ctu_size_minus5 = bits.unsigned(2)
    ptl_dpb_hrd_params_present_flag = bits.unsigned(1)
    if max_sublayers_minus1 > 6 or log2_ctu_size_minus5 > 2:
        return None
    if ptl_dpb_hrd_params_present_flag:
        profile_idc, _, level_idc = bits.unsigned(7), bits.unsigned(1), bits.unsigned(8)
        if not profile_idc or not level_idc:
            return None
    return sps_id


def _vvc_pps(bits: BitReader) -> int | None:
    """H.266 clause 7.3.2.5."""
    bits.unsigned(6)
    sps_id = bits.unsigned(4)
    bits.unsigned(1)
    width, height = bits.exp_golomb(), bits.exp_golomb()
    return sps_id if width and height else None


# H.264 annex A, and those of annexes F to J.
_AVC_PROFILES = frozenset(
    {44, 66, 77, 83, 86, 88, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
)


def _avc_sps(bits: BitReader) -> int | None:
    """H.264 clause 7.3.2.1.1."""
    profile_idc = bits.unsigned(8)
    bits.unsigned(6)
    reserved_zero_2bits, level_idc = bits.unsigned(2), bits.unsigned(8)
    sps_id = bits.exp_golomb()
    lawful = profile_idc in _AVC_PROFILES and not reserved_zero_2bits and 9 <= level_idc <= 62
    return sps_id if lawful and sps_id <= 31 else None


def _avc_pps(bits: BitReader) -> int | None:
    """H.264 clause 7.3.2.2."""
    pps_id, sps_id = bits.exp_golomb(), bits.exp_golomb()
    return sps_id if pps_id <= 255 and sps_id <= 31 else None


_READERS: dict[Codec, dict[str, Callable[[BitReader], int | None]]] = {
    Codec.VVC: {"SPS": _vvc_sps, "PPS": _vvc_pps},
    Codec.HEVC: {"SPS": _hevc_sps, "PPS": _hevc_pps},
    Codec.AVC: {"SPS": _avc_sps, "PPS": _avc_pps},
}

_USUAL_TYPES = {
    Codec.VVC: frozenset({0, 1, 2, 3, *range(7, 11), *range(12, 26)}),
    Codec.HEVC: frozenset({*range(10), *range(16, 22), *range(32, 41)}),
    Codec.AVC: frozenset({*range(1, 14), 19, 20}),
}
# Lawful, and no evidence: types of scalable and multiview H.264, whose header bytes HEVC's SEI
# messages have too, and those that the standards leave to others.
_RARE_TYPES = {
    Codec.VVC: frozenset(range(28, 32)),
    Codec.HEVC: frozenset(range(48, 64)),
    Codec.AVC: frozenset({14, 15}),
}


def _plausibility(codec: Codec, data: bytes) -> int:
    """How well a NAL unit header fits a codec: -2 not at all, 0 hardly, 1 well."""
    if len(data) < _HEADER_SIZE[codec]:
        return 0
    if not _is_lawful(codec, data):
        return -2
    unit = NalUnit(codec, data)
    if unit.nal_unit_type in _RARE_TYPES[codec]:
        return 0
    if unit.nal_unit_type not in _USUAL_TYPES[codec]:
        return -2
    return 0 if unit.layer_id else 1
