"""In which order the coded pictures of a stream are shown, seen while it is read.

The pictures of an access unit follow its coded picture, and decoders give coded pictures in output
order. So coded pictures that drive others must come in output order, but in a sequence whose user
data number them (`gfvc.stream.sequence_places`). Those of ordinary video may come in any.
"""

from __future__ import annotations

from typing import NamedTuple

from base_codec_adapters.byte_stream import Codec as BaseCodec
from base_codec_adapters.byte_stream import NalUnit as BaseNalUnit
from base_codec_adapters.errors import StreamInvalidError
from base_codec_adapters.picture_order import OrderReader
from sei import Codec, NalUnit

_BASE_CODECS: dict[Codec, BaseCodec] = {Codec.VVC: "vvc", Codec.HEVC: "hevc"}
# Of a parameter set or a slice; what is read lies within.
_READ_BYTES = 4096

WANTED_ORDER = "coded pictures that drive faces must come in output order (without B pictures)"
"""What is to be done about a coded picture that does not."""


class OrderCount(NamedTuple):
    """Place of a coded picture in output order: how often counts started anew, then its count."""

    starts: int
    value: int


class OrderCounts:
    """Reads order counts from the NAL units of a stream, as far as they can be told."""

    def __init__(self) -> None:
        self._reader: OrderReader | None = None
        self._is_lost = False  # a header that could not be read; the counts after it go by it

    def read(self, unit: NalUnit) -> OrderCount | None:
        """The order count of a picture, where a NAL unit tells it: its first slice."""
        if self._is_lost or unit.layer_id or unit.is_sei or unit.codec not in _BASE_CODECS:
            return None
        codec = _BASE_CODECS[unit.codec]
        if self._reader is None:
            self._reader = OrderReader(codec)
        size = unit.header_size
        header, payload = unit.data[:size], unit.data[size : size + _READ_BYTES]
        try:
            count = self._reader.order_count(
                BaseNalUnit(unit.offset or 0, unit.nal_unit_type, 0, header, payload)
            )
        except StreamInvalidError:
            # A decoder says what is wrong with it.
            self._is_lost = True
            return None
        return None if count is None else OrderCount(self._reader.starts, count)


class PictureOrder:
    """Whether coded pictures that drive others have their place in output order.

    It is shown the NAL units of the base layer, and told which coded pictures drive. `last` is the
    order count of the last coded picture, None where it cannot be told; `at` is its byte.
    """

    def __init__(self) -> None:
        self._counts = OrderCounts()
        self._starts = 0
        # Order counts since they started anew: the highest of pictures that drive, if any did, of
        # all pictures, and of those before the last one.
        self._highest_driving: int | None = None
        self._highest = self._highest_before = 0
        self.last: OrderCount | None = None
        self.at: int | None = None

    def see(self, unit: NalUnit) -> bool:
        """Whether a coded picture starts here that is shown before a driving one that came."""
        order = self._counts.read(unit)
        if order is None:
            if unit.starts_picture and not unit.layer_id:
                self.last = None
            return False
        starts, count = order
        if starts != self._starts:
            self._starts, self._highest = starts, count - 1
            self._highest_driving = None
        self.last, self.at = order, unit.offset
        self._highest_before, self._highest = self._highest, max(self._highest, count)
        return self._highest_driving is not None and count <= self._highest_driving

    def drive(self, *, is_numbered: bool = False) -> bool:
        """The last coded picture drives others; whether one that came before is shown after it.

        Never so of one that has its number in a sequence, whatever came before.
        """
        if self.last is None:
            return False
        count = self.last.value
        highest = self._highest_driving
        self._highest_driving = count if highest is None else max(count, highest)
        return count <= self._highest_before and not is_numbered
