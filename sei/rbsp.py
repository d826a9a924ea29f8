"""SEI messages in their NAL units, whatever their payload (H.266 clause 7.3.6, H.274 clause 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sei.arguments import BytesLike, as_bytes, as_integer, wrong_kind
from sei.errors import MessageCutError, MessageError, StreamError, TrailingBitsError
from sei.nal import (
    Codec,
    NalUnit,
    add_emulation_prevention,
    check_unit,
    nal_unit_header,
    sei_nal_unit_type,
)

GENERATIVE_FACE_VIDEO = 223
GENERATIVE_FACE_VIDEO_ENHANCEMENT = 224
FACE_PAYLOADS = frozenset({GENERATIVE_FACE_VIDEO, GENERATIVE_FACE_VIDEO_ENHANCEMENT})
USER_DATA_UNREGISTERED = 5

MAX_SEI_SIZE = 16 * 2**20
"""Longest SEI NAL unit whose messages are read, in bytes."""

MAX_MESSAGES_OF_UNIT = 2**16
"""Greatest number of messages that `read_sei` takes from a NAL unit; it holds them all."""

_MAX_PAYLOAD_TYPE = 255 * MAX_SEI_SIZE  # whose ff bytes alone would fill it

_TRAILING_BITS = b"\x80"


@dataclass(frozen=True, slots=True)
class SeiMessage:
    """An SEI message: payloadType and the bytes of its payload.

    Raises:
        MessageError: payloadType is negative, or takes more than an SEI NAL unit holds.
        ArgumentError: payloadType is no integer, or the payload no bytes.
    """

    payload_type: int
    payload: bytes

    def __post_init__(self) -> None:
        if type(self.payload) is not bytes:
            object.__setattr__(self, "payload", as_bytes(self.payload, "an SEI payload"))
        if type(self.payload_type) is not int:
            payload_type = as_integer(self.payload_type, "payloadType")
            object.__setattr__(self, "payload_type", payload_type)
        if not 0 <= self.payload_type <= _MAX_PAYLOAD_TYPE:
            raise MessageError(
                f"payloadType {self.payload_type} must be within 0..{_MAX_PAYLOAD_TYPE}"
            )

    @property
    def size(self) -> int:
        """Bytes of header and payload."""
        payload_size = len(self.payload)
        return self.payload_type // 255 + 1 + payload_size // 255 + 1 + payload_size

    def to_bytes(self) -> bytes:
        """Header and payload.

        >>> SeiMessage(300, bytes(2)).to_bytes().hex(" ")
        'ff 2d 02 00 00'
        """
        payload_size = len(self.payload)
        if 0 <= self.payload_type < 0xFF > payload_size:
            return bytes((self.payload_type, payload_size)) + self.payload
        return _extended(self.payload_type) + _extended(payload_size) + self.payload


@dataclass(frozen=True, slots=True)
class SeiRbsp:
    """The messages of an SEI NAL unit, and the bytes after them (RBSP trailing bits).

    Raises:
        ArgumentError: what it is to hold are no messages, or no bytes.
    """

    messages: tuple[SeiMessage, ...]
    trailing: bytes = _TRAILING_BITS

    def __post_init__(self) -> None:
        if not isinstance(self.messages, Iterable):
            raise wrong_kind("messages", "some sei.SeiMessage", self.messages)
        object.__setattr__(self, "messages", tuple(self.messages))
        for message in self.messages:
            if not isinstance(message, SeiMessage):
                raise wrong_kind("a message", "a sei.SeiMessage", message)
        object.__setattr__(self, "trailing", as_bytes(self.trailing, "trailing"))

    def to_bytes(self) -> bytes:
        """The RBSP, without emulation prevention."""
        return b"".join(message.to_bytes() for message in self.messages) + self.trailing


def _extended(value: int) -> bytes:
    """Value as ff bytes, 255 each, and a last byte below ff."""
    return b"\xff" * (value // 255) + bytes((value % 255,))


_NOT_FF = re.compile(rb"[^\xff]", re.DOTALL)


def _read_extended(rbsp: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Inverse of `_extended`; also where the next byte is. None when it runs past the end."""
    last = start
    if start < end and rbsp[start] == 0xFF:
        found = _NOT_FF.search(rbsp, start, end)
        last = end if found is None else found.start()
    if last >= end:
        return None
    return 255 * (last - start) + rbsp[last], last + 1


def iterate_sei_messages(rbsp: BytesLike) -> Iterator[SeiMessage]:
    """Yield the messages of an SEI RBSP one by one, those before a damaged one too.

    Raises:
        MessageCutError: a header or a payload runs past the end.
        TrailingBitsError: the RBSP does not end in its trailing bits; its messages were yielded.
    """
    rbsp = as_bytes(rbsp, "an RBSP")
    # Zero bytes after the trailing bits (cabac_zero_words) do not count.
    end = len(rbsp.rstrip(b"\0")) - 1
    closed = end >= 0 and rbsp[end] == _TRAILING_BITS[0]
    if not closed:
        end = len(rbsp)
    position = 0
    while position < end:
        message, position = _message(rbsp, position, end)
        yield message
    if not closed:
        raise TrailingBitsError("the SEI RBSP does not end in the byte 80", 8 * max(end - 1, 0))


def _message(rbsp: bytes, position: int, end: int) -> tuple[SeiMessage, int]:
    """The message at a place, and where the next one is."""
    start = position + 2
    if start <= end and rbsp[position] != 0xFF != rbsp[position + 1]:
        # Nearly all are like this: a byte for the type and one for the size.
        following = start + rbsp[position + 1]
        if following <= end:
            return SeiMessage(rbsp[position], rbsp[start:following]), following
    header = _read_extended(rbsp, position, end)
    if header is None:
        raise MessageCutError(
            "payloadType runs past the end of the SEI NAL unit", None, 8 * position
        )
    payload_type, start = header
    header = _read_extended(rbsp, start, end)
    if header is None:
        raise MessageCutError(
            "payloadSize runs past the end of the SEI NAL unit", payload_type, 8 * start
        )
    payload_size, start = header
    if payload_size > end - start:
        raise MessageCutError(
            f"payloadSize {payload_size} of payloadType {payload_type} is more than the "
            f"{end - start} bytes left",
            payload_type,
            8 * position,
        )
    position = start + payload_size
    return SeiMessage(payload_type, rbsp[start:position]), position


def sei_rbsp(unit: NalUnit) -> bytes:
    """RBSP of an SEI NAL unit, for `iterate_sei_messages`.

    Raises:
        MessageError: the NAL unit is no SEI NAL unit.
        StreamError: it is longer than `MAX_SEI_SIZE`.
    """
    if not check_unit(unit).is_sei:
        raise MessageError(f"a NAL unit of type {unit.type_name} holds no SEI messages")
    if len(unit.data) > MAX_SEI_SIZE:
        raise StreamError(
            f"an SEI NAL unit of {len(unit.data)} bytes, at most {MAX_SEI_SIZE} are read",
            unit.offset,
        )
    return unit.rbsp


def read_sei(unit: NalUnit) -> SeiRbsp:
    """Messages of an SEI NAL unit.

    Raises:
        MessageError: the NAL unit is no SEI NAL unit.
        StreamError: it is longer than `MAX_SEI_SIZE`, or holds more than `MAX_MESSAGES_OF_UNIT`.
        MessageCutError: a message runs past the end.
        TrailingBitsError: the trailing bits are missing.
    """
    rbsp = sei_rbsp(unit)
    iterator = iterate_sei_messages(rbsp)
    messages = tuple(islice(iterator, MAX_MESSAGES_OF_UNIT))
    if next(iterator, None) is not None:
        raise StreamError(
            f"an SEI NAL unit of more than {MAX_MESSAGES_OF_UNIT} messages", unit.offset
        )
    return SeiRbsp(messages, rbsp[sum(message.size for message in messages) :])


def make_sei_nal_unit(
    messages: SeiRbsp | Iterable[SeiMessage],
    codec: Codec,
    *,
    suffix: bool = True,
    layer_id: int = 0,
    temporal_id: int = 0,
    start_code_size: int = 3,
) -> NalUnit:
    """Build the NAL unit that carries the messages, in this order.

    ``suffix`` chooses between a suffix and a prefix SEI NAL unit; H.264 has one type for both,
    which stands before the picture. A NAL unit that is the first of its access unit needs
    ``start_code_size`` 4.

    Raises:
        MessageError: there is no message, or `read_sei` would not take what it becomes: too many
            messages, too many bytes, trailing bits that are none.
        StreamError: layer or TemporalId do not exist in the codec.
        ArgumentError: what is given are no messages, or ``codec`` is no `Codec`.
    """
    rbsp = messages if isinstance(messages, SeiRbsp) else SeiRbsp(messages)  # type: ignore[arg-type]
    if not rbsp.messages:
        raise MessageError("an SEI NAL unit holds at least one message")
    if len(rbsp.messages) > MAX_MESSAGES_OF_UNIT:
        raise MessageError(
            f"{len(rbsp.messages)} messages, at most {MAX_MESSAGES_OF_UNIT} of a NAL unit are "
            "read: make several"
        )
    content = rbsp.to_bytes()
    # One zero byte would be followed by a 03 that readers do not take out.
    if rbsp.trailing.rstrip(b"\0") != _TRAILING_BITS or not len(rbsp.trailing) & 1:
        raise MessageError("trailing must be the byte 80, and pairs of zero bytes after it")
    header = nal_unit_header(
        codec,
        sei_nal_unit_type(codec, suffix=suffix),
        layer_id=layer_id,
        temporal_id=temporal_id,
    )
    data = header + add_emulation_prevention(content)
    if len(data) > MAX_SEI_SIZE:
        raise MessageError(
            f"an SEI NAL unit of {len(data)} bytes, at most {MAX_SEI_SIZE} are read: make several"
        )
    return NalUnit(codec, data, start_code_size=start_code_size)
