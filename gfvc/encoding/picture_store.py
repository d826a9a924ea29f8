"""Pictures of a clip that wait for a decision, in a file: a long wait does not fill the memory."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable

import numpy as np

from base_codec_adapters.temporary import naming_tmpdir, write_all
from gfvc.scaling import Size
from models.contract import Closable, Picture


class PictureStore(Closable):
    """Pictures uint8 [height, width, 3] of one size by number, each until it is dropped.

    They lie in a temporary file, no more of them than there are at a time. Several threads may ask
    for some. Raises `TemporaryFolderError` when there is no room for it.
    """

    def __init__(self) -> None:
        with naming_tmpdir():
            self._file = tempfile.TemporaryFile(prefix="gfvc-", buffering=0)  # noqa: SIM115
        self._moving = threading.Lock()  # the file has one position
        self._shape: tuple[int, ...] = (0, 0, 3)
        self._places: dict[int, int] = {}
        self._free: list[int] = []
        self._size = 0  # places of the file

    @property
    def picture_size(self) -> Size:
        """Width and height of its pictures; 0 before the first."""
        height, width = self._shape[:2]
        return width, height

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def __getitem__(self, number: int) -> Picture:
        data = bytearray(int(np.prod(self._shape)))
        with self._moving:
            self._file.seek(self._places[number] * len(data))
            self._file.readinto(data)
        return np.frombuffer(data, np.uint8).reshape(self._shape)

    def add(self, number: int, picture: Picture) -> None:
        """Keep a picture."""
        if self._places and picture.shape != self._shape:
            raise ValueError(f"a picture of {picture.shape} among those of {self._shape}")
        self._shape = picture.shape
        if not self._free:
            self._free.append(self._size)
            self._size += 1
        place = self._free.pop()
        with self._moving, naming_tmpdir():
            self._file.seek(place * picture.nbytes)
            write_all(self._file, np.ascontiguousarray(picture).data)
        self._places[number] = place

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget pictures; their room is for others."""
        self._free.extend(self._places.pop(number) for number in numbers)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
