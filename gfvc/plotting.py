"""Pictures of what a stream carries: keypoint tracks, feature curves, bits over time.

What is kept of a stream, and what is drawn, are arrays: it may have 100 000 messages and more.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gfvc.errors import StreamError
from gfvc.figures import drawing, logarithmic
from gfvc.limits import MAX_PICTURES
from gfvc.stream.picture_count import PictureCount
from sei import FaceValues, MatrixType, printable
from sei.inspection import InspectedMessage, InspectedUnit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_CURVES = 64
# More than the columns of pixels that the axes have, so that nothing is seen of it.
_COLUMNS = 2048


def _integers() -> array[int]:
    return array("q")


class Rows:
    """Rows of numbers, of which the first 64 of each are kept."""

    def __init__(self) -> None:
        self._numbers = array("d")
        self._starts = array("q")
        self._lengths = array("q")

    def append(self, row: Iterable[float]) -> None:
        """Add a row."""
        self._starts.append(0)
        self._lengths.append(0)
        self.replace(len(self._starts) - 1, row)

    def replace(self, number: int, row: Iterable[float]) -> None:
        """Put another row in the place of one."""
        start = len(self._numbers)
        self._numbers.extend(islice(row, _MAX_CURVES))
        self._starts[number] = start
        self._lengths[number] = len(self._numbers) - start

    @property
    def width(self) -> int:
        """Numbers of the longest row."""
        return max(self._lengths, default=0)

    @property
    def lengths(self) -> Sequence[int]:
        """Numbers of each row, 64 at most."""
        return self._lengths

    def curve(self, column: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The rows that have a number in a column, and those numbers."""
        rows = np.flatnonzero(np.asarray(self._lengths) > column)
        return rows, np.asarray(self._numbers)[np.asarray(self._starts)[rows] + column]


@dataclass(slots=True)
class StreamCurves:
    """Values and bits of each output picture with a GFV message of the first face, in order.

    And bits of ordinary video, whose pictures have no values; in the order in which they are coded.
    `pictures` are their numbers among the output pictures; `keypoints` x and y of each, `matrices`
    all elements one after the other; `face_bits` are those of GFV and GFVE messages, of all faces,
    `base_bits` those of the coded picture where there is one, else 0. `key_pictures` are numbers of
    output pictures.
    """

    pictures: array[int] = field(default_factory=_integers)
    keypoints: tuple[Rows, Rows] = field(default_factory=lambda: (Rows(), Rows()))
    matrices: Rows = field(default_factory=Rows)
    matrix_types: set[int] = field(default_factory=set)
    face_bits: array[int] = field(default_factory=_integers)
    base_bits: array[int] = field(default_factory=_integers)
    key_pictures: array[int] = field(default_factory=_integers)
    base_entry: int = 0
    """Where in these the last base message is."""

    def add(self, picture: int, values: FaceValues, face_bits: int, base_bits: int) -> None:
        """Add a picture."""
        self.pictures.append(picture)
        for rows in (*self.keypoints, self.matrices):
            rows.append(())
        self.set_values(len(self.pictures) - 1, values)
        self.face_bits.append(face_bits)
        self.base_bits.append(base_bits)

    def set_values(self, entry: int, values: FaceValues) -> None:
        """Take the values of a picture that was added."""
        scale = 2.0 ** -(values.keypoint_precision_factor or 0)
        for axis, rows in enumerate(self.keypoints):
            points = islice(values.keypoints or (), _MAX_CURVES)
            rows.replace(entry, (point[axis] * scale for point in points))
        self.matrix_types |= {
            group.type_idx for group in values.matrices if group.type_idx is not None
        }
        self.matrices.replace(
            entry,
            (
                element * 2.0**-group.precision_factor
                for group in values.matrices
                for matrix in group.matrices
                for row in matrix
                for element in row
            ),
        )


def _pass_over(_message: InspectedMessage, _error: StreamError) -> None:
    pass


def collect_curves(
    inspected: Iterable[InspectedUnit | InspectedMessage],
    most: int = MAX_PICTURES,
    payload_types: frozenset[int] | None = None,
    refused: Callable[[InspectedMessage, StreamError], object] = _pass_over,
) -> StreamCurves:
    """Read a stream's face messages; damaged ones are left out.

    Those of `payload_types` count, None for all; user data of gfvc are wanted too. `refused` is
    told of such that make no sense. Raises `StreamError` when they are of more than `most` output
    pictures.
    """
    curves = StreamCurves()
    count = PictureCount()
    pending_base = 0
    for seen in inspected:
        picture: int | None = None
        try:
            picture = count.see(seen)
        except StreamError as error:  # of user data
            assert isinstance(seen, InspectedMessage)
            refused(seen, error)
        if isinstance(seen, InspectedMessage):
            if seen.is_of_types(payload_types):
                pending_base = _add(curves, seen, pending_base, picture)
        elif not seen.unit.is_sei:
            pending_base += 8 * seen.unit.size
            unit = count.unit
            if seen.unit.starts_picture and unit and unit.shown_as_coded and not unit.part:
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
    bits = 8 * inspected.sei_message.size
    if picture is None:
        if curves.face_bits:
            curves.face_bits[-1] += bits
        return pending_base
    if inspected.message.base_picture_flag:
        curves.key_pictures.append(picture)
        curves.base_entry = len(curves.pictures)
    elif curves.pictures and curves.pictures[curves.base_entry] == picture:
        # In place of the hidden coded picture.
        curves.set_values(curves.base_entry, inspected.values)
        curves.face_bits[curves.base_entry] += bits
        return pending_base
    curves.add(picture, inspected.values, bits, pending_base)
    return 0


def plot_curves(curves: StreamCurves, output: Path, title: str) -> None:
    """Draw a stream's curves into a PNG file. Raises `StreamError` when it has no face messages."""
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
    if curves.keypoints[0].width:
        panels += [("keypoints, x", curves.keypoints[0]), ("keypoints, y", curves.keypoints[1])]
    # Pages have room for a panel of matrices, be there one or not.
    height = 3 * (len(panels) + 2)
    if curves.matrices.width:
        panels.append((_matrix_name(curves), curves.matrices))
    figure, axes = pyplot.subplots(
        len(panels) + 1, 1, figsize=(11, height), sharex=True, squeeze=False, layout="constrained"
    )
    column = list(axes[:, 0])
    for name, rows in panels:
        _draw(column.pop(0), name, curves, rows)
    _draw_bits(column.pop(0), curves)
    figure.suptitle(printable(title))
    return figure


def _matrix_name(curves: StreamCurves) -> str:
    known = {
        number: name.lower().replace("_", " ")
        for name, number in vars(MatrixType).items()
        if isinstance(number, int)
    }
    return ", ".join(known.get(kind, f"type {kind}") for kind in sorted(curves.matrix_types))


def _columns(pictures: NDArray[np.int64]) -> NDArray[np.int64]:
    """The column of the drawing that each picture is in, where there are more pictures than that.

    Else each picture has its own.
    """
    first, last = int(pictures.min()), int(pictures.max())
    count = last - first + 1
    columns: NDArray[np.int64] = (pictures - first) * min(count, _COLUMNS) // count
    return columns


def _draw(axes: Any, name: str, curves: StreamCurves, rows: Rows) -> None:
    from matplotlib.collections import LineCollection

    pictures = np.asarray(curves.pictures)
    columns = _columns(pictures)
    for column in range(rows.width):
        shown, values = rows.curve(column)
        # Coded pictures may come in another order than they are shown in.
        order = np.argsort(pictures[shown], kind="stable")
        at, of_columns = pictures[shown][order], columns[shown][order]
        axes.plot(*_outline(at, of_columns, values[order]), linewidth=0.9)
    if curves.key_pictures:
        keys = np.asarray(curves.key_pictures)
        keys = keys[np.unique(_columns(keys), return_index=True)[1]]
        lines = np.stack([np.repeat(keys[:, None], 2, 1), np.tile([0, 1], (len(keys), 1))], -1)
        across = axes.get_xaxis_transform()
        axes.add_collection(
            LineCollection(lines, transform=across, color="0.8", linewidth=0.8, zorder=0),
            autolim=False,
        )
    axes.set_ylabel(name)


def _outline(
    pictures: NDArray[np.int64], columns: NDArray[np.int64], values: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Points of a line that looks like that through all: four at most of those in a column."""
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    ends = np.append(starts[1:], len(columns)) - 1
    if len(starts) == len(columns):
        return pictures, values
    least, most = (each.reduceat(values, starts) for each in (np.minimum, np.maximum))
    x = np.stack([pictures[starts]] * 3 + [pictures[ends]], 1)
    return x.ravel(), np.stack([values[starts], least, most, values[ends]], 1).ravel()


def _draw_bits(axes: Any, curves: StreamCurves) -> None:
    from matplotlib.collections import PolyCollection

    pictures, columns = np.asarray(curves.pictures), _columns(np.asarray(curves.pictures))
    face, base = np.asarray(curves.face_bits), np.asarray(curves.base_bits)
    # Of several pictures in a column, that is all that their bars cover together.
    order = np.argsort(columns, kind="stable")
    starts = np.flatnonzero(np.diff(columns[order], prepend=-1))
    # Bars of coded pictures stand on those of messages.
    foot = np.where(base, face, np.iinfo(np.int64).max)
    left, lowest = (np.minimum.reduceat(each[order], starts) for each in (pictures, foot))
    right, highest, top = (
        np.maximum.reduceat(each[order], starts) for each in (pictures, face, face + base)
    )
    for name, color, bottom, height in (
        ("face messages", "C0", np.zeros_like(highest), highest),
        ("coded pictures", "C1", np.minimum(lowest, top), top),
    ):
        x0, x1 = left - 0.5, right + 0.5
        corners = [(x0, bottom), (x0, height), (x1, height), (x1, bottom)]
        bars = PolyCollection(
            np.stack([np.stack(corner, -1) for corner in corners], 1),
            facecolor=color,
            linewidth=0,
            label=name,
        )
        bars.sticky_edges.y[:] = np.unique(bottom).tolist()
        axes.add_collection(bars)
    axes.autoscale_view()
    logarithmic(axes.yaxis)
    axes.set_ylabel("bits")
    axes.set_xlabel("picture")
    axes.legend(loc="upper right")
