"""Which sequence parameter set each picture of a byte stream activates.

A stream may carry sets that no picture uses. The header of a picture, or of its first slice, names
a picture parameter set near its start (H.265 7.3.6.1, H.266 7.3.2.8), and that names a sequence
parameter set in its first bits (H.265 7.3.2.3, H.266 7.3.2.5).
"""

from __future__ import annotations

from base_codec_adapters.byte_stream import (
    PICTURE_PARAMETER_SET,
    SEQUENCE_PARAMETER_SET,
    VVC_PICTURE_HEADER,
    Bits,
    Codec,
    NalUnit,
    SequenceParameters,
    read_sequence,
    starts_picture,
)

_HEVC_RANDOM_ACCESS = range(16, 24)
# Numbers of sets: H.265 7.4.3.2.1 and 7.4.3.3.1, H.266 7.4.3.4 and 7.4.3.5.
_SEQUENCE_SETS, _PICTURE_SETS = 16, 64
_HEAD_BYTES = 64  # in which all lies that is read of picture parameter sets and headers


class ActiveSets:
    """Goes through the NAL units of a base layer.

    ``active`` is what the last picture activated. Where that cannot be told, since a header cannot
    be read or refers to a set that is missing, it is the last sequence parameter set that came
    before the picture. ``latest`` is the last one that came.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec: Codec = codec
        self._sequences: dict[int, SequenceParameters] = {}
        self._sequence_of: dict[int, int] = {}  # by picture parameter set
        self._came: set[int] = set()  # sequence parameter sets since the last picture
        self._others_came: set[int] = set()  # picture parameter sets
        self.active: SequenceParameters | None = None
        self.latest: SequenceParameters | None = None
        self.came_with_picture = False
        """Whether both sets of the last picture came after the one before it, as far as known."""

    def see(self, unit: NalUnit) -> bool:
        """See the next NAL unit; whether a picture starts with it.

        Raises:
            StreamInvalidError: a sequence parameter set is malformed, or not 4:2:0.
        """
        if unit.type == SEQUENCE_PARAMETER_SET[self._codec]:
            self.latest = read = read_sequence(unit, self._codec)
            if read.number < _SEQUENCE_SETS:
                self._sequences[read.number] = read
                self._came.add(read.number)
        elif unit.type == PICTURE_PARAMETER_SET[self._codec]:
            self._see_picture_set(unit)
        elif starts_picture(unit, self._codec):
            self._activate(unit)
            return True
        return False

    def _see_picture_set(self, unit: NalUnit) -> None:
        bits = Bits(unit.payload[:_HEAD_BYTES])
        try:
            if self._codec == "vvc":
                number, sequence = bits.u(6), bits.u(4)
            else:
                number, sequence = bits.ue(), bits.ue()
        except (EOFError, ValueError):
            return  # As the decoder will say.
        if number < _PICTURE_SETS:
            self._sequence_of[number] = sequence
            self._others_came.add(number)

    def _activate(self, unit: NalUnit) -> None:
        number = _picture_set_of(unit, self._codec)
        sequence = None if number is None else self._sequence_of.get(number)
        found = None if sequence is None else self._sequences.get(sequence)
        self.active = found or self.latest
        if found is None:
            self.came_with_picture = bool(self._came)
        else:
            self.came_with_picture = sequence in self._came and number in self._others_came
        self._came.clear()
        self._others_came.clear()


def _picture_set_of(unit: NalUnit, codec: Codec) -> int | None:
    """The picture parameter set of a picture by the NAL unit that starts it; None if unreadable."""
    bits = Bits(unit.payload[:_HEAD_BYTES])
    try:
        if codec == "hevc":
            bits.u(1)  # first_slice_segment_in_pic_flag
            if unit.type in _HEVC_RANDOM_ACCESS:
                bits.u(1)  # no_output_of_prior_pics_flag
            return bits.ue()
        if unit.type != VVC_PICTURE_HEADER:
            bits.u(1)  # sh_picture_header_in_slice_header_flag
        is_random_access = bits.u(1)  # or gradual decoding refresh
        bits.u(1)  # ph_non_ref_pic_flag
        if is_random_access:
            bits.u(1)  # ph_gdr_pic_flag
        if bits.u(1):  # ph_inter_slice_allowed_flag
            bits.u(1)  # ph_intra_slice_allowed_flag
        return bits.ue()
    except (EOFError, ValueError):
        return None
