"""What is in a stream: NAL units and SEI messages, element by element.

The face messages are read by the very reader that a decoder uses, with a trace attached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sei.access_unit import AccessUnitBoundaries
from sei.elements import Trace
from sei.enhancement_state import GfveState
from sei.errors import SeiError
from sei.face_messages import GenerativeFaceVideo, GenerativeFaceVideoEnhancement
from sei.face_values import FaceValues
from sei.limits import LimitError, ReadingLimit
from sei.nal import NalUnit
from sei.payload_kinds import decode_elements, payload_kind
from sei.rbsp import (
    FACE_PAYLOADS,
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    SeiMessage,
    iterate_sei_messages,
    sei_rbsp,
)
from sei.state import GfvState


@dataclass(frozen=True, slots=True)
class InspectedUnit:
    """A NAL unit: its number in the stream and that of its access unit, both from 0."""

    nal: int
    access_unit: int
    starts_access_unit: bool
    unit: NalUnit


@dataclass(frozen=True, slots=True)
class InspectedMessage:
    """An SEI message of the NAL unit ``where``.

    ``sei_message`` is None when the NAL unit's own structure is damaged. ``elements``, ``message``
    and ``values`` are those of face messages, ``decoded`` is of some others; ``error`` says why a
    message could not be read, ``elements`` then holds those before the damage. ``repeated`` says
    that the message before it of its face stands there once more, and adds nothing.
    """

    where: InspectedUnit
    sei_message: SeiMessage | None
    elements: Trace = field(default_factory=Trace)
    message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement | None = None
    values: FaceValues | None = None
    decoded: Trace | None = None
    error: str | None = None
    repeated: bool = False

    def is_of_types(self, payload_types: frozenset[int] | None) -> bool:
        """Whether its payload type is one of these, None for all; damage is, of whatever type."""
        return (
            payload_types is None
            or self.sei_message is None
            or self.sei_message.payload_type in payload_types
        )

    @property
    def payload_name(self) -> str | None:
        """Name of the payload type in its standard."""
        if self.sei_message is None:
            return None
        return payload_kind(self.sei_message.payload_type, self.where.unit.codec).name


def inspect_units(
    units: Iterable[NalUnit],
    payload_types: frozenset[int] | None = None,
    *,
    hm18: bool = False,
    limit: ReadingLimit | None = None,
) -> Iterator[InspectedUnit | InspectedMessage]:
    """Yield every NAL unit of a stream, and after each SEI NAL unit its messages.

    ``payload_types`` leaves out the messages of other types; ``hm18`` says that the face messages
    have the syntax of the older draft in HM 18.0. Damaged messages are reported, not raised; what
    ``units`` raises is passed on, and so is the `LimitError` of ``limit``. Nothing is held longer
    than the caller holds it.
    """
    boundaries = AccessUnitBoundaries()
    access_unit = -1
    # Faces of the base layer, and of other layers together.
    states = {above: (GfvState(hm18=hm18), GfveState()) for above in (False, True)}
    for nal, unit in enumerate(units):
        starts = boundaries.starts_here(unit)
        access_unit += starts
        if limit is not None:
            limit.take_unit(unit)
        where = InspectedUnit(nal, access_unit, starts, unit)
        yield where
        if not unit.is_sei:
            continue
        try:
            for sei_message in iterate_sei_messages(sei_rbsp(unit)):
                if limit is not None:
                    limit.take_message(unit)
                if payload_types is None or sei_message.payload_type in payload_types:
                    inspected = _inspect_message(where, sei_message, *states[unit.layer_id > 0])
                    if limit is not None:
                        limit.take_elements(len(inspected.elements))
                        limit.take_others(len(inspected.decoded or ()))
                    yield inspected
        except LimitError:
            raise
        except SeiError as error:
            yield InspectedMessage(where, None, error=str(error))


def _inspect_message(
    where: InspectedUnit, sei_message: SeiMessage, gfv: GfvState, gfve: GfveState
) -> InspectedMessage:
    payload_type, payload = sei_message.payload_type, sei_message.payload
    elements = Trace()
    message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement
    try:
        if payload_type == GENERATIVE_FACE_VIDEO:
            message, values = gfv.read(payload, elements), gfv.values
            repeated = gfv.repeated
        elif payload_type == GENERATIVE_FACE_VIDEO_ENHANCEMENT:
            message, values = gfve.read(payload, elements), gfve.values
            repeated = gfve.repeated
        else:
            decoded = decode_elements(payload_type, payload, where.unit.codec)
            return InspectedMessage(where, sei_message, decoded=decoded)
    except SeiError as error:
        return InspectedMessage(where, sei_message, elements, error=str(error))
    return InspectedMessage(where, sei_message, elements, message, values, repeated=repeated)


def json_object(inspected: InspectedMessage) -> dict[str, Any]:
    """A message as the object that ``inspect --json`` prints on a line of its own.

    Keys: ``nal``, ``nal_unit_type``, ``offset`` (byte of the NAL unit header in the file, null
    where unknown), ``payload_type``, ``payload_name``, ``payload_size`` (null when the NAL unit is
    damaged), ``elements`` [[name, value], …] in bitstream order, bytes as hex; ``values`` of a face
    message; ``payload`` (hex) of others and ``decoded`` of some; ``error`` of a damaged one.
    """
    where, sei_message = inspected.where, inspected.sei_message
    result: dict[str, Any] = {
        "nal": where.nal,
        "nal_unit_type": where.unit.nal_unit_type,
        "offset": where.unit.offset,
        "payload_type": None if sei_message is None else sei_message.payload_type,
        "payload_name": inspected.payload_name,
        "payload_size": None if sei_message is None else len(sei_message.payload),
        "elements": [(element.name, element.json_value) for element in inspected.elements],
    }
    if inspected.values is not None:
        result["values"] = json_values(inspected.values)
    if sei_message is not None and sei_message.payload_type not in FACE_PAYLOADS:
        result["payload"] = sei_message.payload.hex()
    if inspected.decoded is not None:
        result["decoded"] = {e.name: e.json_value for e in inspected.decoded}
    if inspected.error is not None:
        result["error"] = inspected.error
    return result


def json_values(values: FaceValues) -> dict[str, Any]:
    """Values as floats; a key is absent when there are none of its kind."""
    result: dict[str, Any] = {}
    if values.keypoints is not None and values.keypoint_precision_factor is not None:
        result["keypoints"] = _floats(values.keypoints, values.keypoint_precision_factor)
    if values.matrices:
        result["matrices"] = [
            {
                "type": typed.type_idx,
                "values": [_floats(matrix, typed.precision_factor) for matrix in typed.matrices],
            }
            for typed in values.matrices
        ]
    if values.pupils is not None and values.pupil_precision_factor is not None:
        result["pupils"] = _floats(values.pupils, values.pupil_precision_factor)
    return result


def _floats(rows: Iterable[Iterable[int]], precision_factor: int) -> list[list[float]]:
    step = 2.0**-precision_factor
    return [[x * step for x in row] for row in rows]
