"""In which order the coded pictures of a byte stream are shown.

That is told by picture order counts, of which each picture states the low bits (H.265 8.3.1,
H.266 8.3.1). They stand near the front of slice and picture headers (H.265 7.3.6.1, H.266
7.3.2.8), behind little that depends on parameter sets.
"""

from __future__ import annotations

from base_codec_adapters.byte_stream import (
    END_OF_SEQUENCE,
    PICTURE_PARAMETER_SET,
    SEQUENCE_PARAMETER_SET,
    SLICES,
    VVC_PICTURE_HEADER,
    Bits,
    Codec,
    NalUnit,
    nal_units,
    read_sequence,
    starts_picture,
)
from base_codec_adapters.errors import StreamInvalidError

# nal_unit_type of pictures whose order count starts anew wherever they stand: IDR and, in HEVC, BLA
# pictures. With a CRA picture it does where nothing of its sequence comes before.
_ANEW = {"hevc": range(16, 21), "vvc": range(7, 9)}
_HEVC_IDR = range(19, 21)
_HEVC_RANDOM_ACCESS = range(16, 24)
# Pictures that the order counts of others do not go by: RADL and RASL, and those of HEVC that no
# other of their temporal sub-layer refers to.
_PASSED_OVER = {"hevc": frozenset([*range(0, 15, 2), *range(6, 10)]), "vvc": frozenset([2, 3])}

# H.265 7.4.3.2.1: range of log2_max_pic_order_cnt_lsb_minus4. VVC has four bits for it.
_MOST_ORDER_BITS = 16

# All that is read of a header lies within.
_HEADER_BYTES = 64


def output_places(stream: bytes, codec: Codec) -> list[int]:
    """The place in output order, from 0 on, of each coded picture of the base layer.

    Pictures come in the order of the stream. Where order counts start anew, as at an IDR picture,
    all pictures before are shown before. Those after a CRA picture in the midst of a sequence go
    by it, so that leading pictures have their place.

    Raises:
        StreamInvalidError: a parameter set or the header of a picture is malformed or missing.
    """
    reader = OrderReader(codec)
    order: list[tuple[int, int]] = []  # starts so far, and order count since
    for unit in nal_units(stream, codec):
        if unit.layer == 0:
            count = reader.order_count(unit)
            if count is not None:
                order.append((reader.starts, count))
    places = [0] * len(order)
    for place, number in enumerate(sorted(range(len(order)), key=order.__getitem__)):
        places[number] = place
    return places


class OrderReader:
    """Goes through the NAL units of a base layer, and knows what order counts go by.

    `starts` are the pictures so far with which they started anew.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec: Codec = codec
        self._order_bits: dict[int, int] = {}  # by sequence parameter set
        # By picture parameter set: its sequence parameter set, and in HEVC how many bits slice
        # headers have for it before the slice type and behind.
        self._picture_sets: dict[int, tuple[int, int, int]] = {}
        self._picture_header: Bits | None = None  # of VVC, that stood in a NAL unit of its own
        self._starts_anew = True
        self._last = 0  # the order count that the next one goes by
        self.starts = 0

    def order_count(self, unit: NalUnit) -> int | None:
        """Order count of the picture whose first slice a NAL unit is; None where it is none.

        Raises:
            StreamInvalidError: a parameter set or a header is malformed, or one is missing.
        """
        bits = Bits(unit.payload[:_HEADER_BYTES])
        try:
            if unit.type == SEQUENCE_PARAMETER_SET[self._codec]:
                self._read_sequence_set(unit)
            elif unit.type == PICTURE_PARAMETER_SET[self._codec]:
                self._read_picture_set(bits)
            elif unit.type == END_OF_SEQUENCE[self._codec]:
                self._starts_anew = True
            elif self._codec == "vvc" and unit.type == VVC_PICTURE_HEADER:
                self._picture_header = bits
            elif starts_picture(unit, self._codec):
                bits.u(1)  # that it does
                return self._read_picture(unit, bits)
            elif self._picture_header is not None and unit.type in SLICES["vvc"]:
                header, self._picture_header = self._picture_header, None
                return self._read_picture(unit, header)
        except (EOFError, ValueError, KeyError):
            raise StreamInvalidError(
                f"byte {unit.offset}: the order of pictures cannot be read: a header is malformed, "
                "or refers to a parameter set that is missing"
            ) from None
        return None

    def _read_sequence_set(self, unit: NalUnit) -> None:
        sequence = read_sequence(unit, self._codec)
        bits = sequence.rest
        if self._codec == "vvc":
            bits.u(1 + 1)  # sps_entropy_coding_sync_enabled_flag, …_entry_point_offsets_…
            low = bits.u(4)
        else:
            low = bits.ue()
            if low > _MOST_ORDER_BITS - 4:
                raise ValueError
        self._order_bits[sequence.number] = low + 4  # log2_max_pic_order_cnt_lsb_minus4

    def _read_picture_set(self, bits: Bits) -> None:
        if self._codec == "vvc":
            number, sequence, before, behind = bits.u(6), bits.u(4), 0, 0
        else:
            number, sequence = bits.ue(), bits.ue()
            bits.u(1)  # dependent_slice_segments_enabled_flag
            behind = bits.u(1)  # output_flag_present_flag
            before = bits.u(3)  # num_extra_slice_header_bits
        self._picture_sets[number] = sequence, before, behind

    def _read_picture(self, unit: NalUnit, bits: Bits) -> int:
        is_referred_to = True
        if self._codec == "vvc":
            low, order_bits, is_referred_to = self._read_vvc(bits)
        else:
            low, order_bits = self._read_hevc(unit.type, bits)
        if self._starts_anew or unit.type in _ANEW[self._codec]:
            self._starts_anew = False
            self.starts += 1
            count = low
        else:
            # The nearest to the last one that has these low bits, of two the later.
            period = 1 << order_bits
            before = period // 2 - 1
            count = self._last + (low - self._last + before) % period - before
        is_passed_over = unit.temporal_id > 0 or unit.type in _PASSED_OVER[self._codec]
        if is_referred_to and not is_passed_over:
            self._last = count
        return count

    def _read_vvc(self, bits: Bits) -> tuple[int, int, bool]:
        """Low bits of the order count, how many, and whether other pictures refer to this."""
        is_random_access = bits.u(1)  # or gradual decoding refresh
        is_not_referred_to = bits.u(1)
        if is_random_access:
            bits.u(1)  # ph_gdr_pic_flag
        if bits.u(1):  # ph_inter_slice_allowed_flag
            bits.u(1)  # ph_intra_slice_allowed_flag
        sequence, _, _ = self._picture_sets[bits.ue()]
        order_bits = self._order_bits[sequence]
        return bits.u(order_bits), order_bits, not is_not_referred_to

    def _read_hevc(self, kind: int, bits: Bits) -> tuple[int, int]:
        """Low bits of the order count, and how many."""
        if kind in _HEVC_RANDOM_ACCESS:
            bits.u(1)  # no_output_of_prior_pics_flag
        sequence, before, behind = self._picture_sets[bits.ue()]
        order_bits = self._order_bits[sequence]
        if kind in _HEVC_IDR:
            return 0, order_bits
        bits.u(before)  # slice_reserved_flag
        bits.ue()  # slice_type
        bits.u(behind)  # pic_output_flag
        return bits.u(order_bits), order_bits
