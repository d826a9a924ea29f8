"""What a stream holds in numbers: NAL units, messages, pictures, and what the bits are for."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from sei.elements import ElementArray
from sei.face_messages import GenerativeFaceVideo
from sei.inspection import InspectedMessage, InspectedUnit
from sei.rbsp import FACE_PAYLOADS, GENERATIVE_FACE_VIDEO, USER_DATA_UNREGISTERED

# Ends of the names of the elements that carry values, not how they are coded.
_SHARES = {
    "coordinates": tuple(
        f"gfv_coordinate_{d}{axis}_{part}"
        for d in ("", "d")
        for axis in "xyz"
        for part in ("abs", "sign_flag")
    ),
    "matrices": tuple(
        f"matrix_{delta}element_{part}"
        for delta in ("", "delta_")
        for part in ("int", "dec", "sign_flag")
    ),
    "pupils": (
        "eye_dx_coordinate_abs",
        "eye_dx_coordinate_sign_flag",
        "eye_dy_coordinate_abs",
        "eye_dy_coordinate_sign_flag",
    ),
    "networks": ("nn_tag_uri", "nn_uri", "nn_payload_byte"),
}


class Pictures(Protocol):
    """What tells how many pictures a decoder puts out of what `inspect_units` yields."""

    @property
    def pictures(self) -> int:
        """Output pictures, if the stream ends here."""

    def see(self, inspected: InspectedUnit | InspectedMessage) -> object:
        """See what comes next."""


class MessagePictures:
    """Pictures by what every stream tells: of an access unit one, or one for each face message."""

    def __init__(self) -> None:
        self._before = 0  # in the access units before this one
        self._coded = False  # whether this one has a coded picture
        self._messages = 0
        self._gfv_id: int | None = None  # of the face that came first in it
        self._last_count: int | None = None

    @property
    def pictures(self) -> int:
        """Output pictures, if the stream ends here."""
        return self._before + max(self._messages, self._coded)

    def see(self, inspected: InspectedUnit | InspectedMessage) -> None:
        """See what comes next: of several faces, one has a message for each picture."""
        if isinstance(inspected, InspectedUnit):
            if inspected.starts_access_unit:
                self._before = self.pictures
                self._coded, self._messages = False, 0
                self._gfv_id = self._last_count = None
            self._coded |= inspected.unit.is_vcl
        elif isinstance(inspected.message, GenerativeFaceVideo):
            if self._gfv_id is None:
                self._gfv_id = inspected.message.gfv_id
            if inspected.message.gfv_id == self._gfv_id:
                self._messages += inspected.message.gfv_cnt != self._last_count
                self._last_count = inspected.message.gfv_cnt


PICTURE_PAYLOADS = frozenset({USER_DATA_UNREGISTERED, GENERATIVE_FACE_VIDEO})
"""Payload types of the messages that a count of `Pictures` wants to see."""


class StreamSummary:
    """Counts of what a stream holds; feed it what `inspect_units` yields.

    ``pictures`` counts the output pictures. Messages of other types than ``payload_types`` are
    shown to it, and not counted.
    """

    def __init__(
        self, pictures: Pictures | None = None, payload_types: frozenset[int] | None = None
    ) -> None:
        self._pictures = MessagePictures() if pictures is None else pictures
        self._payload_types = payload_types
        self.access_units = 0
        self.nal_units: Counter[str] = Counter()
        self.nal_unit_bytes: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.message_bytes: Counter[str] = Counter()
        self.element_bits: Counter[str] = Counter()
        self.element_count: Counter[str] = Counter()
        self.errors = 0
        self._base_layer_bytes = 0
        self._other_message_bytes = 0
        self._face_message_bytes = 0

    def add(self, inspected: InspectedUnit | InspectedMessage) -> None:
        """Count a NAL unit or a message."""
        self._pictures.see(inspected)
        if isinstance(inspected, InspectedUnit):
            unit = inspected.unit
            self.access_units += inspected.starts_access_unit
            self.nal_units[unit.type_name] += 1
            self.nal_unit_bytes[unit.type_name] += unit.size
            if not unit.is_sei:
                self._base_layer_bytes += unit.size
            return
        if not inspected.is_of_types(self._payload_types):
            return
        self.errors += inspected.error is not None
        if inspected.sei_message is None:
            return
        sei_message = inspected.sei_message
        name = f"{inspected.payload_name} ({sei_message.payload_type})"
        self.messages[name] += 1
        self.message_bytes[name] += sei_message.size
        if sei_message.payload_type not in FACE_PAYLOADS:
            self._other_message_bytes += sei_message.size
        else:
            self._face_message_bytes += sei_message.size
        for part in inspected.elements.parts:
            if isinstance(part, ElementArray):
                for element_name, count, bits in part.totals():
                    self.element_bits[element_name] += bits
                    self.element_count[element_name] += count
            else:
                self.element_bits[part.base_name] += part.bits
                self.element_count[part.base_name] += 1

    @property
    def total_bytes(self) -> int:
        """Size of the stream."""
        return self.nal_unit_bytes.total()

    @property
    def shares(self) -> dict[str, int]:
        """Bits of the stream by what they are for; they add up to the stream.

        What is in no other share is headers: of SEI NAL units, of messages, and the elements of
        face messages that say how the values are coded. Where some payload types are counted only,
        the other messages are a share, with the headers of all SEI NAL units, and "face message
        headers" are those of messages that are counted.
        """
        shares = {"base layer": 8 * self._base_layer_bytes}
        for share, names in _SHARES.items():
            shares[share] = sum(
                bits for name, bits in self.element_bits.items() if name.endswith(names)
            )
        shares["other SEI messages"] = 8 * self._other_message_bytes
        rest = 8 * self.total_bytes - sum(shares.values())
        if self._payload_types is not None:
            valued = sum(shares[share] for share in _SHARES)
            counted = 8 * self._face_message_bytes - valued
            shares["SEI not selected"] = rest - counted
            rest = counted
        shares["face message headers"] = rest
        return {share: bits for share, bits in shares.items() if bits}

    @property
    def pictures(self) -> int:
        """Pictures that a decoder puts out."""
        return self._pictures.pictures

    def kbps(self, fps: float) -> float:
        """Rate in kbit/s when ``fps`` pictures are put out a second; 0 for no pictures."""
        return 8 * self.total_bytes * fps / self.pictures / 1000 if self.pictures else 0.0

    def json_object(self, fps: float | None) -> dict[str, Any]:
        """The summary as ``inspect --summary --json`` prints it; ``kbps`` only with ``fps``."""
        result: dict[str, Any] = {
            "access_units": self.access_units,
            "pictures": self.pictures,
            "bytes": self.total_bytes,
            "nal_units": _counts(self.nal_units, self.nal_unit_bytes, "bytes"),
            "messages": _counts(self.messages, self.message_bytes, "bytes"),
            "shares": self.shares,
            "elements": _counts(self.element_count, self.element_bits, "bits"),
            "errors": self.errors,
        }
        if fps is not None:
            result["kbps"] = self.kbps(fps)
        return result


def _counts(count: Counter[str], amount: Counter[str], unit: str) -> dict[str, Any]:
    return {name: {"count": count[name], unit: amount[name]} for name in count}
