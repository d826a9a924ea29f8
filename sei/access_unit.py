"""Access units: the NAL units of one coded picture and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sei.arguments import wrong_kind
from sei.errors import StreamError
from sei.nal import NalUnit, check_unit

MAX_NAL_UNITS = 2**16
"""Greatest number of NAL units in an access unit that `access_units` yields."""


class AccessUnitBoundaries:
    """Tells, NAL unit by NAL unit, where the access units of a stream start.

    The base layer decides: pictures of other layers, and what comes with them, belong to the access
    unit of the base layer's picture before them. The base layer is the lowest that has pictures.
    H.266 clause 7.4.2.4, H.265 clauses 7.4.2.4.4 and F.7.4.2.4.4, H.264 clause 7.4.1.2.3.
    """

    def __init__(self) -> None:
        self._base_layer: int | None = None
        self._picture_started = False
        self._first = True

    def in_base_layer(self, unit: NalUnit) -> bool:
        """Whether a NAL unit is of the base layer, or of what all layers share."""
        check_unit(unit)
        return self._base_layer is None or unit.layer_id <= self._base_layer or unit.has_no_layer

    def starts_here(self, unit: NalUnit) -> bool:
        """Take the next NAL unit of the stream; whether it is the first of an access unit."""
        is_vcl = check_unit(unit).is_vcl
        if is_vcl and (self._base_layer is None or unit.layer_id < self._base_layer):
            self._base_layer = unit.layer_id
        starts = self._first or (
            self._picture_started
            and (unit.precedes_picture or unit.starts_picture)
            and self.in_base_layer(unit)
        )
        if starts:
            self._picture_started = False
        if is_vcl and not self._picture_started:
            self._picture_started = self.in_base_layer(unit)
        self._first = False
        return starts


def access_units(units: Iterable[NalUnit]) -> Iterator[tuple[NalUnit, ...]]:
    """Group the NAL units of a stream into access units, by the pictures of its base layer.

    Suffix SEI messages belong to the picture they follow. One access unit is held at a time.

    Raises:
        StreamError: an access unit of more than `MAX_NAL_UNITS` NAL units.
        ArgumentError: what is given are no NAL units.
    """
    if not isinstance(units, Iterable):
        raise wrong_kind("units", "NAL units", units)
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
