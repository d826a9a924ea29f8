"""Check that the messages of a face keep the layout of its base message."""

from __future__ import annotations

from collections.abc import Iterator

from gfvc.verification.face_order import Face, face_of
from gfvc.verification.findings import Check, Finding, Place
from sei import CoordinateLayout, Coordinates, GenerativeFaceVideo, Matrices, MatrixLayout
from sei.inspection import InspectedMessage


class LayoutCheck(Check):
    """A layout that changes: allowed, but what predicts from it afterwards cannot be read."""

    name = "layout"

    def __init__(self) -> None:
        # Layouts in base messages, in words, by part; None for what one does not have.
        self._base: dict[Face, dict[str, str | None]] = {}

    def see_message(self, place: Place, inspected: InspectedMessage) -> Iterator[Finding]:
        """See a message."""
        message = inspected.message
        if message is None or (isinstance(message, GenerativeFaceVideo) and message.is_reserved):
            return
        face, layouts = face_of(message), {}
        if isinstance(message, GenerativeFaceVideo):
            layouts["keypoints"] = _of_keypoints(message.coordinates)
        layouts["matrices"] = _of_matrices(message.matrices)
        base = self._base.get(face)
        if message.base_picture_flag:
            self._base[face] = layouts
            what = "those of the base message before"
        else:
            what = "those of the base message"
        if base is None:
            return
        for name, now in layouts.items():
            then = base[name]
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
