"""Pictures on their way to an encoder, kept in a file: a long sequence does not fill the memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from base_codec_adapters.errors import RequestInvalidError
from base_codec_adapters.pictures import (
    Picture420,
    picture_from_raw,
    raw_picture_size,
    write_raw_video,
)
from base_codec_adapters.temporary import naming_tmpdir

_BITS = 8


class PictureSpool:
    """Pictures of one size, to be appended, counted and gone through; use as a context.

    They lie in a temporary file, ``width * height * 3 / 2`` bytes each, until `close`.

    Raises:
        TemporaryFolderError: the file cannot be made.
    """

    def __init__(self) -> None:
        with naming_tmpdir():
            # Unbuffered: what was appended is written, and the error is told where it arises.
            self._file = tempfile.TemporaryFile(prefix="base-codec-", buffering=0)  # noqa: SIM115
        self._count = 0
        self._size: tuple[int, int] | None = None

    def append(self, picture: Picture420) -> None:
        """Add a picture at the end.

        Raises:
            RequestInvalidError: it has another size than those before.
            TemporaryFolderError: there is no room for it.
        """
        size = picture.width, picture.height
        if self._size not in (None, size):
            sizes = sorted({self._size, size})
            raise RequestInvalidError(f"pictures of one sequence differ in size: {sizes}")
        self._size = size
        with naming_tmpdir():
            self._file.seek(self._count * raw_picture_size(*size, _BITS))
            write_raw_video(self._file, (picture,), *size, _BITS)
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Picture420:
        if not 0 <= index < self._count or self._size is None:
            raise IndexError(index)
        picture_bytes = raw_picture_size(*self._size, _BITS)
        self._file.seek(index * picture_bytes)
        return picture_from_raw(self._file.read(picture_bytes), *self._size, _BITS)

    def __iter__(self) -> Iterator[Picture420]:
        return (self[index] for index in range(self._count))

    def close(self) -> None:
        """Forget the pictures."""
        self._file.close()

    def __enter__(self) -> PictureSpool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
