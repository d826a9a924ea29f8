"""SEI NAL units whose messages can be changed while all else of them stays byte for byte."""

from __future__ import annotations

from itertools import islice

from gfvc.errors import StreamError
from sei import (
    MessageCutError,
    NalUnit,
    SeiError,
    SeiRbsp,
    add_emulation_prevention,
    iterate_sei_messages,
    read_sei,
)
from sei.rbsp import sei_rbsp

MAX_UNIT_MESSAGES = 1 << 16
"""Most messages of a NAL unit that is taken apart; memory holds all of them at once."""


class CrowdedNalUnitError(StreamError):
    """A NAL unit holds more messages than are taken apart."""


def sei_data(unit: NalUnit, rbsp: SeiRbsp) -> bytes:
    """Data of an SEI NAL unit like `unit` with other messages."""
    return unit.data[: unit.header_size] + add_emulation_prevention(rbsp.to_bytes())


def has_message(unit: NalUnit, payload_types: frozenset[int]) -> bool:
    """Whether an SEI NAL unit has messages of these types, or a damaged one that was to be."""
    try:
        return any(m.payload_type in payload_types for m in iterate_sei_messages(sei_rbsp(unit)))
    except SeiError as error:
        return isinstance(error, MessageCutError) and error.payload_type in payload_types


def rewritable_sei(unit: NalUnit) -> SeiRbsp:
    """Messages of an SEI NAL unit that can be written again byte for byte.

    Raises `SeiError` when it is damaged, `StreamError` when its header or its emulation prevention
    (H.266 clause 7.4.2.1) is not as the standard wants it, or it has more than `MAX_UNIT_MESSAGES`.
    """
    data = sei_rbsp(unit)
    # Two bytes are the shortest message.
    if len(data) > 2 * MAX_UNIT_MESSAGES:
        counted = islice(iterate_sei_messages(data), MAX_UNIT_MESSAGES + 1)
        if sum(1 for _ in counted) > MAX_UNIT_MESSAGES:
            raise CrowdedNalUnitError(
                f"a NAL unit of more than {MAX_UNIT_MESSAGES} messages (at byte {unit.offset})"
            )
    rbsp = read_sei(unit)
    if unit.header_fault is not None or sei_data(unit, rbsp) != unit.data:
        raise StreamError(f"a NAL unit that breaks the rules of NAL units (at byte {unit.offset})")
    return rbsp
