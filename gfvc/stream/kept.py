"""Lists in a file: what was read of a stream, and waits to be decoded, does not fill the memory."""

from __future__ import annotations

import contextlib
import pickle
import tempfile
import weakref
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from base_codec_adapters.temporary import naming_tmpdir, write_all

Item = TypeVar("Item")


class KeepingFile:
    """A temporary file for the items of `Kept` lists; it goes when nobody uses it any more.

    It has no name, so what is unpickled here was pickled here. Raises `TemporaryFolderError` when
    there is no room for it.
    """

    def __init__(self) -> None:
        with naming_tmpdir():
            # Unbuffered: what was kept is written, and the error is told where it arises.
            self._file = tempfile.TemporaryFile(prefix="gfvc-", buffering=0)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._size = 0

    def write(self, item: object) -> int:
        """Keep an item; where it lies."""
        place = self._size
        data = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        self._size += len(data)
        with naming_tmpdir():
            self._file.seek(place)
            write_all(self._file, data)
        return place

    def read(self, place: int) -> Any:
        """The item that lies there."""
        self._file.seek(place)
        return pickle.load(self._file)


class Kept(Sequence[Item], Generic[Item]):
    """A list whose items lie in a file, each read when it is asked for; memory holds their places.

    `places` are those of a list that was kept before.
    """

    def __init__(self, file: KeepingFile, places: array[int] | None = None) -> None:
        self._file = file
        self.places = array("q") if places is None else places

    def append(self, item: Item) -> None:
        """Keep an item at the end."""
        self.places.append(self._file.write(item))

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self._file.read(place) for place in self.places[index]]
        item: Item = self._file.read(self.places[index])
        return item

    def __iter__(self) -> Iterator[Item]:
        return map(self._file.read, self.places)


class KeptLines:
    """Lines of ASCII text in a temporary file: written, then gone through once. Use as a context.

    Raises `TemporaryFolderError` when there is no room for them.
    """

    def __init__(self) -> None:
        with naming_tmpdir():
            self._file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115

    def write(self, line: str) -> None:
        """Add a line, with its end."""
        with naming_tmpdir():
            self._file.write(line)

    def __iter__(self) -> Iterator[str]:
        with naming_tmpdir():
            self._file.seek(0)
        return iter(self._file)

    def __enter__(self) -> KeptLines:
        return self

    def __exit__(self, *_: object) -> None:
        # What could not be written before cannot be written now.
        with contextlib.suppress(OSError):
            self._file.close()
