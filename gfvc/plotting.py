"""Pictures of what a stream carries: keypoint tracks, feature curves, bits over time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gfvc.errors import StreamError
from gfvc.figures import drawing, logarithmic
from gfvc.limits import MAX_PICTURES
from gfvc.stream.picture_count import PictureCount
from sei import FaceValues, MatrixType, NalUnit, printable
from sei.inspection import InspectedMessage, InspectedUnit, inspect_units

_MAX_CURVES = 64


@dataclass(slots=True)
class StreamCurves:
    """Values and bits of each output picture with a GFV message of the first face, in order.

    And bits of ordinary video, whose pictures have no values; in the order in which they are coded.
    `pictures` are their numbers among the output pictures; `face_bits` are those of GFV and GFVE
    messages, of all faces, `base_bits` those of the coded picture where there is one, else 0.
    `key_pictures` are numbers of output pictures.
    """

    pictures: list[int] = field(default_factory=list)
    values: list[FaceValues] = field(default_factory=list)
    face_bits: list[int] = field(default_factory=list)
    base_bits: list[int] = field(default_factory=list)
    key_pictures: list[int] = field(default_factory=list)
    base_entry: int = 0
    """Where in these lists the last base message is."""

    def add(self, picture: int, values: FaceValues, face_bits: int, base_bits: int) -> None:
        """Add a picture."""
        self.pictures.append(picture)
        self.values.append(values)
        self.face_bits.append(face_bits)
        self.base_bits.append(base_bits)


def collect_curves(units: Iterable[NalUnit], most: int = MAX_PICTURES) -> StreamCurves:
    """Read a stream's face messages; damaged ones are left out.

    Raises `StreamError` when they are of more than `most` output pictures.
    """
    curves = StreamCurves()
    count = PictureCount()
    pending_base = 0
    for inspected in inspect_units(units):
        picture: int | None = None
        with suppress(StreamError):  # of user data
            picture = count.see(inspected)
        if not isinstance(inspected, InspectedUnit):
            pending_base = _add(curves, inspected, pending_base, picture)
        elif not inspected.unit.is_sei:
            pending_base += 8 * inspected.unit.size
            unit = count.unit
            if inspected.unit.starts_picture and unit and unit.shown_as_coded and not unit.part:
                curves.add(count.complete, FaceValues(), 0, pending_base)
                pending_base = 0
        if count.known > most:
            raise StreamError(
                f"asks for more than {most} pictures; if that is meant, allow more with "
                "--max-pictures"
            )
    return curves


def _add(
    curves: StreamCurves, inspected: InspectedMessage, pending_base: int, picture: int | None
) -> int:
    """Count one message, of the first face if it has a picture.

    The base layer's bits that still wait for a picture.
    """
    if inspected.message is None or inspected.values is None or inspected.sei_message is None:
        return pending_base
    bits = 8 * len(inspected.sei_message.to_bytes())
    if picture is None:
        if curves.face_bits:
            curves.face_bits[-1] += bits
        return pending_base
    if inspected.message.base_picture_flag:
        curves.key_pictures.append(picture)
        curves.base_entry = len(curves.pictures)
    elif curves.pictures and curves.pictures[curves.base_entry] == picture:
        # In place of the hidden coded picture.
        curves.values[curves.base_entry] = inspected.values
        curves.face_bits[curves.base_entry] += bits
        return pending_base
    curves.add(picture, inspected.values, bits, pending_base)
    return 0


def plot_stream(
    units: Iterable[NalUnit], output: Path, title: str, most: int = MAX_PICTURES
) -> None:
    """Draw a stream's curves into a PNG file.

    Raises `StreamError` when it has no face messages, or some of more than `most` pictures.
    """
    try:
        curves = collect_curves(units, most)
    except StreamError as error:
        raise StreamError(f"{title}: {error}") from None
    if not any(curves.face_bits):
        raise StreamError(f"{title}: holds no generative face video messages to draw")
    with drawing() as pyplot:
        figure = draw_curves(pyplot, curves, title)
        figure.savefig(output, format="png", dpi=100)
        pyplot.close(figure)


def draw_curves(pyplot: Any, curves: StreamCurves, title: str) -> Any:
    """A figure of the curves, one below the other: x and y of keypoints, matrices, bits.

    What the stream does not have is left out.
    """
    panels = []
    if any(values.keypoints for values in curves.values):
        panels += [("keypoints, x", 0), ("keypoints, y", 1)]
    figure, axes = pyplot.subplots(
        len(panels) + 1 + any(values.matrices for values in curves.values),
        1,
        figsize=(11, 3 * (len(panels) + 2)),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    column = list(axes[:, 0])
    for name, axis in panels:
        _draw(column.pop(0), name, curves, _keypoint_rows(curves, axis))
    if len(column) > 1:
        _draw(column.pop(0), _matrix_name(curves), curves, _matrix_rows(curves))
    _draw_bits(column.pop(0), curves)
    figure.suptitle(printable(title))
    return figure


def _keypoint_rows(curves: StreamCurves, axis: int) -> list[list[float] | None]:
    return [
        None
        if values.keypoints is None
        else [p[axis] / 2 ** (values.keypoint_precision_factor or 0) for p in values.keypoints]
        for values in curves.values
    ]


def _matrix_rows(curves: StreamCurves) -> list[list[float] | None]:
    return [
        [
            element / 2**group.precision_factor
            for group in values.matrices
            for matrix in group.matrices
            for row in matrix
            for element in row
        ]
        or None
        for values in curves.values
    ]


def _matrix_name(curves: StreamCurves) -> str:
    groups = (group for values in curves.values for group in values.matrices)
    kinds = sorted({group.type_idx for group in groups if group.type_idx is not None})
    known = {
        number: name.lower().replace("_", " ")
        for name, number in vars(MatrixType).items()
        if isinstance(number, int)
    }
    return ", ".join(known.get(kind, f"type {kind}") for kind in kinds)


def _draw(axes: Any, name: str, curves: StreamCurves, rows: list[list[float] | None]) -> None:
    shown = [
        (index, row) for index, row in zip(curves.pictures, rows, strict=True) if row is not None
    ]
    width = min(max(len(row) for _, row in shown), _MAX_CURVES)
    for curve in range(width):
        points = [(index, row[curve]) for index, row in shown if curve < len(row)]
        axes.plot(*zip(*points, strict=True), linewidth=0.9)
    for key in curves.key_pictures:
        axes.axvline(key, color="0.8", linewidth=0.8, zorder=0)
    axes.set_ylabel(name)


def _draw_bits(axes: Any, curves: StreamCurves) -> None:
    pictures = curves.pictures
    axes.bar(pictures, curves.face_bits, width=1.0, label="face messages")
    axes.bar(pictures, curves.base_bits, width=1.0, bottom=curves.face_bits, label="coded pictures")
    logarithmic(axes.yaxis)
    axes.set_ylabel("bits")
    axes.set_xlabel("picture")
    axes.legend(loc="upper right")
