"""Access units: the NAL units of one coded picture and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sei.errors import StreamError
from sei.nal import NalUnit

MAX_NAL_UNITS = 2**16
"""Greatest number of NAL units in an access unit that `access_units` yields."""


class AccessUnitBoundaries:
    """Tells, NAL unit by NAL unit, where the access units of a one-layer stream start.

    H.266 clause 7.4.2.4, H.265 clause 7.4.2.4.4, H.264 clause 7.4.1.2.3.
    """

    def __init__(self) -> None:
        self._picture_started = False
        self._first = True

    def starts_here(self, unit: NalUnit) -> bool:
        """Take the next NAL unit of the stream; whether it is the first of an access unit."""
        starts = self._first or (
            self._picture_started and (unit.precedes_picture or unit.starts_picture)
        )
        if starts:
            self._picture_started = False
        self._picture_started |= unit.is_vcl
        self._first = False
        return starts


def access_units(units: Iterable[NalUnit]) -> Iterator[tuple[NalUnit, ...]]:
    """Group the NAL units of a one-layer stream into access units (VVC: picture units).

    Suffix SEI messages belong to the picture they follow. One access unit is held at a time.

    Raises:
        StreamError: an access unit of more than `MAX_NAL_UNITS` NAL units.
    """
    boundaries = AccessUnitBoundaries()
    group: list[NalUnit] = []
    for unit in units:
        if boundaries.starts_here(unit) and group:
            yield tuple(group)
            group = []
        if len(group) == MAX_NAL_UNITS:
            raise StreamError(f"an access unit of more than {MAX_NAL_UNITS} NAL units", unit.offset)
        group.append(unit)
    if group:
        yield tuple(group)
