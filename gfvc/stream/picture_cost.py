"""How many parameter sets and slices a coded picture may have.

Decoders keep a parsed copy of each one of an access unit, in FFmpeg some 2 MB for a PPS of VVC and
85 kB for a slice, however few bytes it has. H.265 and H.266 have at most 16 VPS, 16 SPS, 64 PPS and
20 APS at a time, which fit in twice, and 1000 slices in a picture.
"""

from __future__ import annotations

from sei import NalUnit
from sei.access_unit import AccessUnitBoundaries

MAX_PARAMETER_SETS = 256
"""Greatest number of parameter sets in an access unit that is decoded."""

MAX_SLICES = 1024
"""Greatest number of slices and picture headers in an access unit that is decoded."""

_SETS = frozenset({"VPS", "SPS", "PPS", "PREFIX_APS", "SUFFIX_APS", "OPI", "DCI"})


class PictureCost:
    """Counts in each access unit, by the NAL units of a stream, in order.

    Those of other layers and of unspecified types are passed over, as the base decoder gets none.
    """

    def __init__(self) -> None:
        self._boundaries = AccessUnitBoundaries()
        self._sets = self._slices = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether this access unit has more than it may have, so far."""
        return self._sets > MAX_PARAMETER_SETS or self._slices > MAX_SLICES

    def exceeds(self, unit: NalUnit) -> str | None:
        """See the next NAL unit; what its access unit has too many of, where this is the first."""
        if unit.layer_id or unit.is_unspecified:
            return None
        if self._boundaries.starts_here(unit):
            self._sets = self._slices = 0
        if unit.type_name in _SETS:
            self._sets += 1
            if self._sets == MAX_PARAMETER_SETS + 1:
                return f"more than {MAX_PARAMETER_SETS} parameter sets come with one coded picture"
        elif unit.is_vcl or unit.type_name == "PH":
            self._slices += 1
            if self._slices == MAX_SLICES + 1:
                return f"more than {MAX_SLICES} slices come with one coded picture"
        return None
