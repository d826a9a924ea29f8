"""Check that the messages of a face keep the layout of its base message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gfvc.verification.findings import Check, Finding, Place
from sei import (
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    Matrices,
    MatrixLayout,
)
from sei.inspection import InspectedMessage


@dataclass(frozen=True, slots=True)
class _Layouts:
    """Layouts in a base message, in words; None for what it does not have."""

    keypoints: str | None
    matrices: str | None


class LayoutCheck(Check):
    """A layout that changes: allowed, but what predicts from it afterwards cannot be read."""

    name = "layout"

    def __init__(self) -> None:
        self._base: dict[tuple[int, ...], _Layouts] = {}

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if isinstance(message, GenerativeFaceVideo):
            if message.is_reserved:
                return
            face: tuple[int, ...] = (message.gfv_id,)
            layouts = _Layouts(_of_keypoints(message.coordinates), _of_matrices(message.matrices))
        elif isinstance(message, GenerativeFaceVideoEnhancement):
            face = (message.gfve_id, message.gfv_id)
            layouts = _Layouts(None, _of_matrices(message.matrices))
        else:
            return
        base = self._base.get(face)
        if message.base_picture_flag:
            self._base[face] = layouts
            what = "those of the base message before"
        else:
            what = "those of the base message"
        if base is None:
            return
        for name, now, then in (
            ("keypoints", layouts.keypoints, base.keypoints),
            ("matrices", layouts.matrices, base.matrices),
        ):
            # A message that sends none, or inherits the layout, changes nothing.
            if now != then and (now is not None or message.base_picture_flag):
                yield self.warning(
                    place, f"{name} ({now or 'none'}) differ from {what} ({then or 'none'})"
                )


def _of_keypoints(coordinates: Coordinates | None) -> str | None:
    if coordinates is None or coordinates.layout is None:
        return None
    layout: CoordinateLayout = coordinates.layout
    return f"{layout.num_keypoints} in {layout.dimensions}D"


def _of_matrices(matrices: Matrices | None) -> str | None:
    if matrices is None or matrices.layout is None:
        return None
    layout: MatrixLayout = matrices.layout
    shapes = (
        f"{shape.count} of {shape.height}x{shape.width}"
        + ("" if shape.type_idx is None else f", type {shape.type_idx}")
        for shape in layout.shapes
    )
    return "; ".join(shapes)
