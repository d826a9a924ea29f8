"""How many parameter sets may come with a coded picture.

Decoders keep a parsed copy of each set of an access unit, in FFmpeg some 2 MB for a PPS of VVC, and
repeating one takes ten bytes. H.265 and H.266 have at most 16 VPS, 16 SPS, 64 PPS and 20 APS at a
time, which fit in twice.
"""

from __future__ import annotations

from sei import NalUnit
from sei.access_unit import AccessUnitBoundaries

MAX_PARAMETER_SETS = 256
"""Greatest number of parameter sets in an access unit that is decoded."""

_SETS = frozenset({"VPS", "SPS", "PPS", "PREFIX_APS", "SUFFIX_APS", "OPI", "DCI"})


class ParameterSetCount:
    """Counts the sets in each access unit, by the NAL units of a stream, in order.

    Those of other layers and of unspecified types are passed over, as the base decoder gets none.
    """

    def __init__(self) -> None:
        self._boundaries = AccessUnitBoundaries()
        self._count = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether this access unit has more sets than it may have, so far."""
        return self._count > MAX_PARAMETER_SETS

    def exceeds(self, unit: NalUnit) -> bool:
        """See the next NAL unit; whether it is a set, and one more than its access unit may have.

        That is true once in an access unit.
        """
        if unit.layer_id or unit.is_unspecified:
            return False
        if self._boundaries.starts_here(unit):
            self._count = 0
        if unit.type_name not in _SETS:
            return False
        self._count += 1
        return self._count == MAX_PARAMETER_SETS + 1
