"""The content of a stream as an indented tree for people, coloured on a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sei.elements import Element, ElementArray, Trace
from sei.escaping import printable
from sei.face_messages import (
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
)
from sei.face_values import FaceValues
from sei.inspection import InspectedMessage, InspectedUnit
from sei.nal import Codec
from sei.payload_kinds import is_known_by_name_only, payload_kind
from sei.stream_summary import StreamSummary
from sei.table_width import print_whole, take_usual_width

_LONGEST_HEX = 32
_LONGEST_TEXT = 100
_LONGEST_ROW = 16

_MATRIX_TYPES = {
    0: "affine translation",
    1: "covariance",
    2: "mouth motion",
    3: "eye openness",
    4: "head rotation",
    5: "head translation",
    6: "head location",
    7: "compact feature",
}


def _precision(minus1: int) -> str:
    return f"precision {minus1 + 1}, step 1/{2 ** (minus1 + 1)}"


def _one_more(what: str) -> Callable[[int], str]:
    return lambda minus1: f"{minus1 + 1} {what}"


def _matrix_type(type_idx: int) -> str:
    return _MATRIX_TYPES.get(type_idx, "application determined" if type_idx < 32 else "reserved")


# By the names of elements, without gfv_ or gfve_.
_MEANINGS: dict[str, Callable[[int], str]] = {
    "base_picture_flag": lambda v: "base (key) picture" if v else "driving picture",
    "nn_mode_idc": lambda v: {0: "ISO/IEC 15938-17 bytes", 1: "URI"}.get(v, "reserved"),
    "chroma_key_purpose_idc": lambda v: ("unspecified", "background", "face")[v],
    "kps_pred_flag": lambda v: "differences" if v else "values",
    "matrix_pred_flag": lambda v: "differences" if v else "values",
    "coordinate_precision_factor_minus1": _precision,
    "matrix_element_precision_factor_minus1": _precision,
    "pupil_coordinate_precision_factor_minus1": _precision,
    "num_kps_minus1": _one_more("keypoints"),
    "coordinate_z_present_flag": lambda v: "3D" if v else "2D",
    "num_matrix_types_minus1": _one_more("matrix types"),
    "matrix_type_idx": _matrix_type,
    "num_matrices_minus1": _one_more("matrices"),
    "matrix_width_minus1": _one_more("columns"),
    "matrix_height_minus1": _one_more("rows"),
    "pupil_coordinate_present_idx": lambda v: ("none", "left", "right", "both")[v],
}

# Elements of keypoints and matrices are shown together, as coded and as values.
_ARRAYS = (
    "gfv_coordinate_x", "gfv_coordinate_y", "gfv_coordinate_z",
    "gfv_coordinate_dx", "gfv_coordinate_dy", "gfv_coordinate_dz",
    "gfv_matrix_element_", "gfv_matrix_delta_element_",
    "gfve_matrix_element_", "gfve_matrix_delta_element_",
)  # fmt: skip


def _is_array(element: Element) -> bool:
    return bool(element.indices) and element.base_name.startswith(_ARRAYS)


class TreePrinter:
    """Prints what `sei.inspection.inspect_units` yields, line by line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._console = take_usual_width(
            Console(file=out, highlight=False, markup=False, soft_wrap=True)
        )

    def _line(self, depth: int, *parts: tuple[str, str]) -> None:
        """Print an indented line of texts and their styles."""
        if self._console.is_terminal:
            self._console.print(Text("  " * depth) + Text.assemble(*parts))
        else:
            # Some twenty times faster, which shows with a long stream.
            self._out.write("  " * depth + "".join(text for text, _ in parts) + "\n")

    def show(self, inspected: InspectedUnit | InspectedMessage) -> None:
        """Print a NAL unit or a message."""
        if isinstance(inspected, InspectedUnit):
            self._show_unit(inspected)
        else:
            self._show_message(inspected)

    def _show_unit(self, inspected: InspectedUnit) -> None:
        unit = inspected.unit
        if inspected.starts_access_unit:
            self._line(0, (f"access unit {inspected.access_unit}", "bold"))
        place = "" if unit.offset is None else f" at byte {unit.offset}"
        self._line(
            1,
            (f"NAL unit {inspected.nal} ", ""),
            (f"{unit.type_name} ({unit.nal_unit_type})", "cyan"),
            (f"{place}, {len(unit.data)} bytes", ""),
            (", random access point" if unit.is_irap else "", "italic"),
        )

    def _show_message(self, inspected: InspectedMessage) -> None:
        sei_message = inspected.sei_message
        if sei_message is not None:
            self._line(
                2,
                (f"{inspected.payload_name} ({sei_message.payload_type})", "green"),
                (f", {len(sei_message.payload)} bytes", ""),
                (_name_only(inspected), "italic"),
                (_misplaced(inspected), "yellow"),
            )
        if inspected.message is None:
            for element in inspected.elements:
                self._show_element(element)
        else:
            self._show_face(inspected.elements, inspected.message, inspected.values)
        if inspected.decoded is not None:
            for element in inspected.decoded:
                self._show_element(element)
        elif sei_message is not None and not inspected.elements:
            self._line(3, (_bytes(sei_message.payload), "bold"))
        if inspected.error is not None:
            self._line(3, ("error: ", "bold red"), (printable(inspected.error), "red"))

    def _show_element(self, element: Element) -> None:
        value, meaning = element.value, ""
        if isinstance(value, bytes):
            text = _bytes(value)
        elif isinstance(value, str):
            text = printable(json.dumps(value, ensure_ascii=False))
        else:
            text = str(value)
            syntax, _, what = element.base_name.partition("_")
            explain = _MEANINGS.get(what) if syntax in ("gfv", "gfve") else None
            meaning = f"  {explain(value)}" if explain else ""
        self._line(3, (f"{element.name} ", "dim"), (text, "bold"), (meaning, "italic"))

    def _show_face(
        self,
        elements: Trace,
        message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement,
        values: FaceValues | None,
    ) -> None:
        assert values is not None
        arrays = {"gfv_coordinate": _keypoint_lines, "": _matrix_lines}
        for part in elements.parts:
            element = next(iter(part)) if isinstance(part, ElementArray) else part
            if not _is_array(element):
                self._show_element(element)
                continue
            kind = "gfv_coordinate" if element.base_name.startswith("gfv_coordinate") else ""
            if kind in arrays:
                for coded, meaning in arrays.pop(kind)(message, values):
                    self._line(3, (coded, "bold"), (f"  = {meaning}", "italic"))
        if values.pupils is not None and values.pupil_precision_factor is not None:
            left, right = (_numbers(eye, values.pupil_precision_factor) for eye in values.pupils)
            self._line(3, ("pupils ", "dim"), (f"left {left}, right {right}", "italic"))

    def show_summary(self, summary: StreamSummary, fps: float | None) -> None:
        """Print how many of what there are, and their bytes."""
        self._counts("NAL units", "type", "bytes", summary.nal_units, summary.nal_unit_bytes)
        self._counts("SEI messages", "payload", "bytes", summary.messages, summary.message_bytes)
        self._shares(summary, fps)
        rate = "" if fps is None else f", {summary.kbps(fps):.3f} kbit/s at {fps:g} pictures/s"
        self._line(
            0,
            (f"{summary.access_units} access units, {summary.pictures} pictures, ", ""),
            (f"{summary.total_bytes} bytes{rate}", ""),
            (f", {summary.errors} errors" if summary.errors else "", "bold red"),
        )

    def _shares(self, summary: StreamSummary, fps: float | None) -> None:
        """Print what the bits of the stream are for, and their rate."""
        rate = () if fps is None else ("kbit/s",)
        table = _table("what the bits are for", "share", "bits", "percent", *rate)
        total = max(8 * summary.total_bytes, 1)
        for share, bits in summary.shares.items():
            cells = [str(bits), f"{100 * bits / total:.1f}"]
            if fps is not None:
                cells.append(f"{summary.kbps(fps) * bits / total:.3f}")
            table.add_row(share, *cells)
        print_whole(self._console, table)

    def show_bits(self, summary: StreamSummary) -> None:
        """Print the bits of each kind of element."""
        self._counts("elements", "element", "bits", summary.element_count, summary.element_bits)

    def _counts(
        self, title: str, what: str, unit: str, count: dict[str, int], amount: dict[str, int]
    ) -> None:
        table = _table(title, what, "number", unit)
        for name in count:
            table.add_row(name, str(count[name]), str(amount[name]))
        print_whole(self._console, table)


def _table(title: str, what: str, *numbers: str) -> Table:
    """A table whose rows begin with a name; numbers follow, by their heads."""
    table = Table(title=title, title_justify="left")
    table.add_column(what)
    for head in numbers:
        table.add_column(head, justify="right")
    return table


def _name_only(inspected: InspectedMessage) -> str:
    """A remark on a message whose elements are not read."""
    message, codec = inspected.sei_message, inspected.where.unit.codec
    if message is None or not is_known_by_name_only(message.payload_type, codec):
        return ""
    return ", known by name only"


def _misplaced(inspected: InspectedMessage) -> str:
    """A remark on a message in an SEI NAL unit of the wrong kind."""
    unit, sei_message = inspected.where.unit, inspected.sei_message
    if sei_message is None or unit.codec is Codec.AVC:
        return ""
    kind = payload_kind(sei_message.payload_type, unit.codec)
    if unit.is_suffix_sei and not kind.in_suffix:
        return "  belongs into a prefix SEI NAL unit"
    if unit.is_prefix_sei and not kind.in_prefix:
        return "  belongs into a suffix SEI NAL unit"
    return ""


def _bytes(data: bytes) -> str:
    """Bytes as hex digits, or as text where they are just that; the beginning of many."""
    if len(data) > 3 and data.isascii() and data.rstrip(b"\0").decode().isprintable():
        text = json.dumps(data.rstrip(b"\0").decode())
        return (
            text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(data)} bytes)"
        )
    shown = data[:_LONGEST_HEX].hex()
    return shown if len(data) <= _LONGEST_HEX else f"{shown}… ({len(data)} bytes)"


def _numbers(numbers: Iterable[int], precision_factor: int) -> str:
    """Values of numbers in steps of 2^-precision_factor."""
    return "(" + ", ".join(f"{n / 2**precision_factor:g}" for n in numbers) + ")"


def _keypoint_lines(
    message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement, values: FaceValues
) -> Iterator[tuple[str, str]]:
    """A line for each keypoint: as coded, and its value."""
    assert isinstance(message, GenerativeFaceVideo)
    assert message.coordinates is not None
    assert values.keypoints is not None
    assert values.keypoint_precision_factor is not None
    axes = ("dx", "dy", "dz") if message.coordinates.predicted else ("x", "y", "z")
    pairs = zip(message.coordinates.values, values.keypoints, strict=True)
    for i, (coded, keypoint) in enumerate(pairs):
        parts = " ".join(f"{axis} {n:+d}" for axis, n in zip(axes, coded, strict=False))
        yield f"keypoint {i}: {parts}", _numbers(keypoint, values.keypoint_precision_factor)


def _matrix_lines(
    message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement, values: FaceValues
) -> Iterator[tuple[str, str]]:
    """A line for each matrix row: as coded, in steps, and its values."""
    assert message.matrices is not None
    coded, place = message.matrices.elements, 0
    for typed in values.matrices:
        p = typed.precision_factor
        name = "matrix" if typed.type_idx is None else _matrix_type(typed.type_idx)
        for j, matrix in enumerate(typed.matrices):
            size = f"{len(matrix)}×{len(matrix[0])}"  # noqa: RUF001 - wanted
            for k, row in enumerate(matrix):
                parts = [
                    f"{'-' if e.negative else '+'}{e.integer}:{e.fraction}"
                    for e in coded[place : place + min(len(row), _LONGEST_ROW)]
                ]
                place += len(row)
                more = " …" if len(row) > _LONGEST_ROW else ""
                yield (
                    f"{name} {size} [{j}] row {k}: {' '.join(parts)}{more}",
                    _numbers(row[:_LONGEST_ROW], p) + more,
                )
