"""Access units with other face messages; all else of them stays byte for byte."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace

from gfvc.errors import StreamError
from gfvc.stream.information import StreamInformation, stated_by
from gfvc.stream.sei_rewriting import has_message, rewritable_sei, sei_data
from gfvc.stream.writer import MESSAGES_PER_NAL_UNIT
from sei import (
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    USER_DATA_UNREGISTERED,
    GenerativeFaceVideo,
    GfvState,
    NalUnit,
    SeiError,
    SeiMessage,
    SeiRbsp,
    iterate_sei_messages,
    make_sei_nal_unit,
)

_FACES = frozenset({GENERATIVE_FACE_VIDEO})
_CONCERNED = _FACES | {USER_DATA_UNREGISTERED}
Inform = Callable[[StreamInformation], StreamInformation]
"""Changes our user data."""


def enhanced(units: Sequence[NalUnit]) -> bool:
    """Whether an access unit has enhancement messages."""
    kinds = frozenset({GENERATIVE_FACE_VIDEO_ENHANCEMENT})
    return any(unit.is_sei and has_message(unit, kinds) for unit in units)


class CodedFaceReader:
    """Reads the messages of the first face: of the stream's first message, but for further faces.

    `gfv_id` is that of this face, `others` are those of other faces in the last access unit.
    """

    def __init__(self) -> None:
        self._state = GfvState()
        self.gfv_id: int | None = None
        self.others: frozenset[int] = frozenset()

    def read(
        self, units: Sequence[NalUnit], further: Container[int] = ()
    ) -> list[tuple[bytes, GenerativeFaceVideo]]:
        """Payloads of an access unit's messages, and what they code; of a repeated one once.

        `further` are the gfv_id of faces beside the first. Raises `SeiError` for damaged ones.
        """
        found: list[tuple[bytes, GenerativeFaceVideo]] = []
        ids: set[int] = set()
        for unit in units:
            if not unit.is_sei or not has_message(unit, _FACES):
                continue
            for message in iterate_sei_messages(unit.rbsp):
                if message.payload_type != GENERATIVE_FACE_VIDEO:
                    continue
                face = self._state.read(message.payload)
                if face.is_reserved:
                    continue
                ids.add(face.gfv_id)
                if face.gfv_id in further:
                    continue
                if self.gfv_id is None:
                    self.gfv_id = face.gfv_id
                repeated = bool(found) and self._state.repeated
                if face.gfv_id == self.gfv_id and not repeated:
                    found.append((message.payload, face))
        self.others = frozenset(ids - {self.gfv_id})
        return found


def rewritten(
    units: Sequence[NalUnit],
    old: Sequence[bytes],
    new: Sequence[bytes],
    inform: Inform | None = None,
) -> Iterator[NalUnit]:
    """An access unit with payloads `new` in place of the face messages with payloads `old`.

    They go where the first of those was, as many to a NAL unit; after the coded picture where there
    were none. Repeats of old ones go with them. Raises `StreamError` where an SEI NAL unit is
    damaged, or where user data are to be changed and there are none of ours.
    """
    waiting, written, informed = deque(old), False, False
    gone: bytes | None = None  # the payload that was replaced last
    at_once = _messages_at_once(units)
    coded = [number for number, unit in enumerate(units) if unit.is_vcl]
    for number, unit in enumerate(units):
        if not unit.is_sei or not has_message(unit, _CONCERNED):
            yield unit
            if not old and number == coded[-1]:
                yield from _made(new, unit, at_once)
            continue
        try:
            rbsp = rewritable_sei(unit)
        except SeiError as error:
            raise StreamError(f"SEI NAL unit at byte {unit.offset}: {error}") from None
        kept: list[SeiMessage] = []
        before = None  # messages before those that are replaced
        for message in rbsp.messages:
            is_face = message.payload_type == GENERATIVE_FACE_VIDEO
            if is_face and waiting and message.payload == waiting[0]:
                gone = waiting.popleft()
                before = len(kept) if before is None else before
                continue
            if is_face and message.payload == gone:
                continue
            changed = message if inform is None else _informed(unit, message, inform)
            informed |= changed is not message
            kept.append(changed)
        made = list(_made(new, unit, at_once)) if before is not None and not written else []
        written |= bool(made)
        if not before:
            # Messages of other faces come after those of the first.
            yield from made
        if kept == list(rbsp.messages):
            yield unit
        elif kept:
            yield replace(unit, data=sei_data(unit, SeiRbsp(tuple(kept), rbsp.trailing)))
        if before:
            yield from made
    if inform is not None and not informed:
        raise StreamError("a key picture has no user data of gfvc; only its own streams are edited")


def _messages_at_once(units: Sequence[NalUnit]) -> int:
    """How many face messages share a NAL unit: one, where a stream is for low delay."""
    counts = [
        len(rewritable_sei(unit).messages)
        for unit in units
        if unit.is_sei and has_message(unit, _FACES)
    ]
    return 1 if len(counts) > 1 and max(counts) == 1 else MESSAGES_PER_NAL_UNIT


def _made(payloads: Sequence[bytes], like: NalUnit, at_once: int) -> Iterator[NalUnit]:
    for start in range(0, len(payloads), at_once):
        batch = payloads[start : start + at_once]
        yield make_sei_nal_unit(
            [SeiMessage(GENERATIVE_FACE_VIDEO, payload) for payload in batch],
            like.codec,
            suffix=like.is_vcl or like.is_suffix_sei,
            layer_id=like.layer_id,
            temporal_id=like.temporal_id,
        )


def _informed(unit: NalUnit, message: SeiMessage, inform: Inform) -> SeiMessage:
    information = stated_by(unit, message)
    if information is None:
        return message
    return SeiMessage(USER_DATA_UNREGISTERED, inform(information).to_payload())
