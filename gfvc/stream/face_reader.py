"""Reading the face messages of a stream, each once: which are drawn, and whether they fit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from gfvc.errors import StreamError
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from sei import GenerativeFaceVideo, GfvState, NalUnit, NetworkUri, SeiError, SeiMessage
from sei.elements import Trace


class FaceReader:
    """Reads face messages in order, and follows one face: that of the first message.

    `count` are the messages so far, of all faces; `model_uri` is the network that the last base
    message named.
    """

    def __init__(self, path: Path, notes: Callable[[str], None]) -> None:
        self._path = path
        self._notes = notes
        self._state = GfvState()
        self._gfv_id: int | None = None
        self._other_faces = False  # and notes were told
        self.count = 0
        self.model_uri: str | None = None

    def read(
        self, message: SeiMessage, unit: NalUnit, picture: PictureUnit | None
    ) -> FaceMessage | None:
        """Read a message of a NAL unit that belongs to a picture; None for one that is not drawn.

        Raises `StreamError` when it cannot be understood, or another was due.
        """
        where = f"{self._path}: message {self.count} (NAL unit at byte {unit.offset})"
        self.count += 1
        try:
            face = self._state.read(message.payload)
        except SeiError as error:
            named = self._gfv_id_of(message)
            if named is not None and self._gfv_id is not None and not self._is_followed(named):
                return None  # A face that is not drawn.
            raise StreamError(f"{where}: {error}") from None
        if face.is_reserved or not self._is_followed(face.gfv_id):
            return None
        if picture is None:
            raise StreamError(
                f"{where}: comes before any coded picture; the base picture is missing"
            )
        problem = _out_of_place(face, picture)
        if problem is not None:
            raise StreamError(f"{where}: {problem}")
        if face.base_picture_flag and isinstance(face.network, NetworkUri):
            self.model_uri = face.network.uri
        return FaceMessage(self._state.values, len(message.payload))

    def _gfv_id_of(self, message: SeiMessage) -> int | None:
        """The gfv_id of a message that cannot be read; None when the damage lies before it."""
        elements = Trace()
        with contextlib.suppress(SeiError):
            self._state.read(message.payload, elements)
        named = {element.name: element.value for element in elements[:1]}.get("gfv_id")
        return named if isinstance(named, int) else None

    def _is_followed(self, gfv_id: int) -> bool:
        if self._gfv_id is None:
            self._gfv_id = gfv_id
        elif gfv_id != self._gfv_id and not self._other_faces:
            self._other_faces = True
            self._notes(f"{self._path}: carries several faces; only gfv_id {self._gfv_id} is drawn")
        return gfv_id == self._gfv_id


def _out_of_place(face: GenerativeFaceVideo, picture: PictureUnit) -> str | None:
    """What is wrong with a message as the next one of a picture, if anything is."""
    due, announced = len(picture.messages), picture.announced_messages
    if face.base_picture_flag:
        return "a second base message; its coded picture is missing" if due else None
    if not due:
        return "a driven picture whose key picture has no base message"
    if face.gfv_cnt != due:
        return (
            f"is number {face.gfv_cnt} of its key picture where number {due} is due; messages are "
            "missing or out of order"
        )
    if announced is not None and face.gfv_cnt > announced:
        return f"is number {face.gfv_cnt} of its key picture, whose user data announces {announced}"
    return None
