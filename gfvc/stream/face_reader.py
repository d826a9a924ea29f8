"""Reading the face messages of a stream, each once: which are drawn, and whether they fit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from gfvc.errors import StreamError
from gfvc.stream.one_network import OneNetwork
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from gfvc.stream.sei_messages import stands_before_picture
from sei import GenerativeFaceVideo, GfvState, NalUnit, NetworkUri, SeiError, SeiMessage
from sei.elements import Trace


class FaceReader:
    """Reads face messages in order: of the first face, and of further ones in our user data.

    The first face is that of the first message which is not of a further one; messages of further
    ones may stand before it, for our user data tell whose they are. `count` are the
    messages so far, of all faces; `model_uri` is the network that all base messages of the first
    face name, or that name one.
    """

    def __init__(self, path: Path, notes: Callable[[str], None]) -> None:
        self._path = path
        self._notes = notes
        self._state = GfvState()
        self._gfv_id: int | None = None
        self._other_faces = False  # and notes were told
        self._network = OneNetwork()
        self._further_alone: str | None = None  # a further face, before any message of the first
        self.count = 0
        self.model_uri: str | None = None

    def read(
        self, message: SeiMessage, unit: NalUnit, picture: PictureUnit | None
    ) -> tuple[FaceMessage, int] | None:
        """Read a message of a NAL unit that belongs to a picture, and tell whose it is.

        0 is the first face, others are those of `PictureUnit.further` in their order. None for a
        message that is not drawn, or repeated. Raises `StreamError` when it cannot be understood,
        or another was due.
        """
        where = f"{self._path}: message {self.count} (NAL unit at byte {unit.offset})"
        self.count += 1
        try:
            face = self._state.read(message.payload)
        except SeiError as error:
            named = self._gfv_id_of(message)
            if named is None or self._gfv_id is None:
                raise StreamError(f"{where}: {error}") from None
            if self._face_of(named, picture) is None:
                return None  # A face that is not drawn.
            raise StreamError(f"{where}: {error}") from None
        which = None if face.is_reserved else self._face_of(face.gfv_id, picture)
        if which is None:
            return None
        misplaced = stands_before_picture(unit)
        if picture is None:
            early = "comes before any coded picture; the base picture is missing"
            raise StreamError(f"{where}: {misplaced or early}")
        of_face = picture.further[which - 1].unit if which else picture
        if self._state.repeated and face.gfv_cnt == len(of_face.messages) - 1:
            return None
        problem = _out_of_place(face, of_face)
        if which and of_face.part is not None and not of_face.part.has_messages:
            problem = f"is of gfv_id {face.gfv_id}, of which the user data announces none here"
        problem = misplaced or problem
        if problem is None and face.base_picture_flag and isinstance(face.network, NetworkUri):
            if not which and self.model_uri is None:
                self.model_uri = face.network.uri
            wrong = self._network.see(face.gfv_id, face.network.uri, is_first=not which)
            problem = None if wrong is None else "; ".join(wrong)
        if problem is not None:
            raise StreamError(f"{where}: {problem}")
        if which and self._gfv_id is None and self._further_alone is None:
            self._further_alone = (
                f"{where}: is of gfv_id {face.gfv_id}, a further face, and the stream has no "
                "message of the first one; put those back too (gfvc inject)"
            )
        return FaceMessage(self._state.values, len(message.payload)), which

    def check_end(self) -> None:
        """Raise `StreamError` where there are messages of further faces, and none of the first."""
        if self._further_alone is not None and self._gfv_id is None:
            raise StreamError(self._further_alone)

    def _gfv_id_of(self, message: SeiMessage) -> int | None:
        """The gfv_id of a message that cannot be read; None when the damage lies before it."""
        elements = Trace()
        with contextlib.suppress(SeiError):
            self._state.read(message.payload, elements)
        named = {element.name: element.value for element in elements[:1]}.get("gfv_id")
        return named if isinstance(named, int) else None

    def _face_of(self, gfv_id: int, picture: PictureUnit | None) -> int | None:
        """Which of a picture's faces, from 0 on, has a gfv_id; None for one that is not drawn."""
        # These first: where messages of the first face are missing, nobody else is drawn as it.
        for which, further in enumerate(() if picture is None else picture.further, 1):
            if further.gfv_id == gfv_id:
                return which
        if self._gfv_id is None:
            self._gfv_id = gfv_id
        if gfv_id == self._gfv_id:
            return 0
        if not self._other_faces:
            self._other_faces = True
            # Nothing says where it is.
            self._notes(f"{self._path}: carries several faces; only gfv_id {self._gfv_id} is drawn")
        return None


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
