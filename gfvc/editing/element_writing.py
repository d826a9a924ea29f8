"""Face messages from lists of their syntax elements, as people edit them.

The elements are taken in by the syntax functions that readers and writers use, as if they came
from a bitstream; the message that results is then written in the ordinary way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import TypeVar

from bitstring import Bits

from sei import (
    GENERATIVE_FACE_VIDEO,
    CoordinateLayout,
    ElementRangeError,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    GfveState,
    GfvState,
    MatrixLayout,
    MessageError,
    ReferenceMissingError,
    SeiError,
)
from sei.bits import UE_MAX
from sei.coder import UNREAD, Coder
from sei.elements import Index, element_name
from sei.syntax import generative_face_video, generative_face_video_enhancement

ElementValue = int | str

_MAX_FACES = 1024  # whose layouts are remembered: those of the last base messages
T = TypeVar("T")


class FaceMessageWriter:
    """Writes the face messages of a stream that are given by their elements.

    It must be told the other face messages of the stream too, in order, for what is inherited.
    """

    def __init__(self) -> None:
        self._gfv = GfvState()
        self._gfve = GfveState()
        self._layouts: dict[tuple[int, ...], _BaseLayouts] = {}

    def follow(self, payload_type: int, payload: bytes) -> None:
        """Take note of a message that has a payload; one that cannot be read leaves no trace."""
        try:
            is_gfv = payload_type == GENERATIVE_FACE_VIDEO
            self._note((self._gfv if is_gfv else self._gfve).read(payload))
        except SeiError:
            return

    def write(self, payload_type: int, elements: Sequence[tuple[str, ElementValue]]) -> bytes:
        """The payload of the next message, of type 223 or 224.

        `elements` are names with indices and values in bitstream order, as `Element.name` has
        them; bytes are given in hexadecimal digits. Raises `SeiError` when they are not those of
        such a message.
        """
        coder = _ElementCoder(elements)
        message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement
        if payload_type == GENERATIVE_FACE_VIDEO:
            message = generative_face_video(coder, UNREAD, self._inherited)
            coder.check_end()
            payload = self._gfv.write(message)
        else:
            message = generative_face_video_enhancement(coder, UNREAD, self._inherited)
            coder.check_end()
            payload = self._gfve.write(message)
        self._note(message)
        return payload

    def _note(self, message: GenerativeFaceVideo | GenerativeFaceVideoEnhancement) -> None:
        """Remember the layouts of a base message, so far as it has them, or its last one had."""
        if not message.base_picture_flag:
            return
        if isinstance(message, GenerativeFaceVideo):
            face: tuple[int, ...] = (message.gfv_id,)
            layouts = self._inherited(*face)
            if message.coordinates is not None:
                layouts = replace(layouts, coordinates=message.coordinates.layout)
        else:
            face, pupils = (message.gfve_id, message.gfv_id), message.pupils
            factor = None if pupils is None else pupils.precision_factor
            layouts = replace(self._inherited(*face), pupils=factor)
        if message.matrices is not None:
            layouts = replace(layouts, matrices=message.matrices.layout)
        self._layouts.pop(face, None)
        self._layouts[face] = layouts
        if len(self._layouts) > _MAX_FACES:
            del self._layouts[next(iter(self._layouts))]

    def _inherited(self, *face: int) -> _BaseLayouts:
        return self._layouts.get(face, _BaseLayouts())


@dataclass(frozen=True, slots=True)
class _BaseLayouts:
    """Layouts of a face's base message, as the syntax functions ask for them."""

    coordinates: CoordinateLayout | None = None
    matrices: MatrixLayout | None = None
    pupils: int | None = None

    @property
    def coordinate_layout(self) -> CoordinateLayout:
        if self.coordinates is None:
            raise ReferenceMissingError("coordinates: no base message gave their layout")
        return self.coordinates

    @property
    def matrix_layout(self) -> MatrixLayout:
        if self.matrices is None:
            raise ReferenceMissingError("matrices: no base message gave their layout")
        return self.matrices

    @property
    def pupil_precision_factor(self) -> int:
        if self.pupils is None:
            raise ReferenceMissingError("pupils: no base message gave their precision factor")
        return self.pupils


class _ElementCoder(Coder):
    """Takes the elements from a list, which must hold those of the syntax, in its order."""

    def __init__(self, elements: Sequence[tuple[str, ElementValue]]) -> None:
        self._elements = elements
        self._next = 0

    @property
    def position(self) -> int:
        # Alignment bits are not among the elements.
        return 0

    def _take(self, name: str) -> ElementValue:
        if self._next == len(self._elements):
            raise MessageError(f"the elements end where {name} must come")
        given_name, value = self._elements[self._next]
        if given_name != name:
            raise MessageError(f"element {given_name} stands where {name} must come")
        self._next += 1
        return value

    def _take_integer(self, name: str, low: int, high: int) -> int:
        value = self._take(name)
        if not isinstance(value, int):
            raise MessageError(f"{name} must be an integer")
        if not low <= value <= high:
            raise ElementRangeError(name, value, low, high, 0)
        return value

    def _take_text(self, name: str) -> str:
        value = self._take(name)
        if not isinstance(value, str):
            raise MessageError(f"{name} must be a text")
        return value

    def u(
        self,
        name: str,
        n: int,
        given: int | None,
        low: int = 0,
        high: int | None = None,
        index: Index = (),
    ) -> int:
        high = 2**n - 1 if high is None else high
        return self._take_integer(element_name(name, index), low, high)

    def ue(
        self,
        name: str,
        given: int | None,
        low: int = 0,
        high: int = UE_MAX,
        index: Index = (),
    ) -> int:
        return self._take_integer(element_name(name, index), low, high)

    def st(self, name: str, given: str | None, index: Index = ()) -> str:
        return self._take_text(element_name(name, index))

    def byte_string(self, name: str, given: bytes | None, count: int | None = None) -> bytes:
        text = self._take_text(name)
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise MessageError(f"{name} must be hexadecimal digits") from None

    def part(self, name: str, given: object) -> object:
        return UNREAD

    def items(self, name: str, given: object, count: int, least_bits: int, blank: T) -> Iterable[T]:
        left = len(self._elements) - self._next
        if count > left:
            raise MessageError(f"{name}: {count} of them must come, {left} elements are left")
        return repeat(blank, count)

    def trailing(self, given: Bits | None) -> Bits | None:
        return None

    def opaque(self, given: Bits | None) -> Bits | None:
        raise MessageError("a message with a reserved gfv_id has no elements: give its payload")

    def check_end(self) -> None:
        """Make sure that all elements were taken."""
        if self._next < len(self._elements):
            raise MessageError(
                f"element {self._elements[self._next][0]} comes after the end of the message"
            )
