"""Where a stream of VVC or HEVC goes on in another codec, as when files were put together.

Headers of one are mostly lawful in the other, where they name other layers or none that there can
be, so decoders would pass over the rest. What tells for sure are parameter sets that belong
together.
"""

from __future__ import annotations

from base_codec_adapters.byte_stream import Bits, read_sequence
from base_codec_adapters.byte_stream import NalUnit as BaseUnit
from base_codec_adapters.errors import StreamInvalidError
from sei import Codec, NalUnit
from sei.codec_detection import ParameterSets

_OTHERS = {Codec.VVC: Codec.HEVC, Codec.HEVC: Codec.VVC}
_VVC_SPS, _VVC_PPS = 15, 16  # nal_unit_type: H.266 table 5
_VVC_IRAP = range(7, 11)  # and GDR
_AVC_SETS = frozenset({7, 8})  # nal_unit_type of SPS and PPS: H.264 table 7-1
_PARAMETER_SET_HEAD = 64  # bytes that are looked at


class CodecChange:
    """Finds the change among all NAL units of a stream, in order.

    In HEVC it is a run of TRAIL_N of other layers that VVC reads as an SPS, a PPS of its picture
    size that refers to it, and a picture where decoding can start, without a NAL unit of the base
    layer between. In VVC an SPS and a PPS that refers to it as HEVC reads them, whose headers have
    a bit set that is reserved in VVC. In both an SPS of H.264 and a PPS that refers to it.
    """

    def __init__(self, codec: Codec) -> None:
        self.other = _OTHERS.get(codec)
        """Codec that the stream goes on in, once that was seen; None in H.264, not looked at."""
        self.at: int | None = None
        """Byte of the sequence parameter set that the other codec starts with."""
        self._hevc = ParameterSets(Codec.HEVC)
        self._sizes: dict[int, tuple[int, int]] = {}  # of VVC, by the number of its SPS
        self._is_referred = False
        self._avc = ParameterSets(Codec.AVC)
        self._avc_at: int | None = None

    def sees_one(self, unit: NalUnit) -> bool:
        """See the next NAL unit; whether the stream has gone on in another codec by now."""
        if self.other is not None and self._sees_avc(unit):
            self.other, self.at = Codec.AVC, self._avc_at
            return True
        if self.other is Codec.VVC:
            if unit.data[0]:
                # Another type than TRAIL_N, or a layer above 31.
                if not unit.layer_id:
                    self._forget()
                return False
            return self._sees_in_hevc(unit)
        return self.other is Codec.HEVC and bool(unit.data[0] & 0x40) and self._sees_in_vvc(unit)

    def _sees_avc(self, unit: NalUnit) -> bool:
        if unit.data[0] & 0x1F not in _AVC_SETS:
            if self._avc.sps_ids:
                self._avc, self._avc_at = ParameterSets(Codec.AVC), None
            return False
        complete = self._avc.complete_with(unit.data)
        if self._avc.sps_ids and self._avc_at is None:
            self._avc_at = unit.offset
        return complete

    def _forget(self) -> None:
        self.at, self._is_referred = None, False
        self._sizes.clear()

    def _sees_in_hevc(self, unit: NalUnit) -> bool:
        kind = unit.data[1] >> 3
        if not kind:
            self._forget()  # of the base layer
        elif kind == _VVC_SPS:
            self._see_sequence(unit)
        elif kind == _VVC_PPS:
            self._is_referred |= self._refers(unit)
        return self._is_referred and kind in _VVC_IRAP

    def _see_sequence(self, unit: NalUnit) -> None:
        coded = BaseUnit(unit.offset or 0, _VVC_SPS, 0, unit.data[:2], unit.data[2:])
        try:
            read = read_sequence(coded, "vvc")
        except StreamInvalidError:
            return
        if not self._sizes:
            self.at = unit.offset
        self._sizes[read.number] = read.coded_size

    def _refers(self, unit: NalUnit) -> bool:
        """H.266 clause 7.3.2.5."""
        bits = Bits(unit.data[2 : 2 + _PARAMETER_SET_HEAD])
        try:
            bits.u(6)  # pps_pic_parameter_set_id
            number = bits.u(4)
            bits.u(1)  # pps_mixed_nalu_types_in_pic_flag
            return self._sizes.get(number) == (bits.ue(), bits.ue())
        except (EOFError, ValueError):
            return False

    def _sees_in_vvc(self, unit: NalUnit) -> bool:
        complete = self._hevc.complete_with(unit.data)
        if self._hevc.sps_ids and self.at is None:
            self.at = unit.offset
        return complete
