"""What a stream may ask for before it is refused: a few bytes can stand for hours of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.errors import StreamError

MAX_PICTURES = 120_000
"""Output pictures of a stream, by default: half an hour at 60 a second, and a little more."""

FREE_PICTURES = 7200
"""Output pictures that any stream may have by default, however few bytes it takes."""

PICTURES_PER_BYTE = 2
"""Further output pictures for each byte of the file, by default.

Streams of talking heads have one picture in 2 to 20 bytes; those of a face that never moves, coded
as coarsely as can be, up to one and a half in a byte.
"""

MAX_AREA = 4096 * 2304
"""Luma samples of a coded picture, by default."""

MAX_SIDE = 16384
"""Luma samples in a row or column of a picture, whatever its area."""

MAX_SOURCE_AREA = 8192 * 4608
"""Luma samples of a picture of a video that is coded: 8K, and a little more.

A file of some kilobytes can hold larger ones, of which each takes 30 bytes of memory a sample.
"""

MAX_OUTPUT = 20 << 30
"""Bytes of a decoded output, by default: half an hour of raw 512x512 pictures at 25 a second."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much a stream may ask for.

    `pictures` are all output pictures; None for `MAX_PICTURES` and no more than `FREE_PICTURES`
    with `PICTURES_PER_BYTE` for each byte of the file. `area` is in luma samples of a coded
    picture, `output` in bytes that are written. Raises `ValueError` for values below 1.
    """

    pictures: int | None = None
    area: int = MAX_AREA
    output: int = MAX_OUTPUT

    def __post_init__(self) -> None:
        for name in ("pictures", "area", "output"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"limit {name} is {value}; give at least 1")

    def most_pictures(self, file_bytes: int) -> int:
        """Output pictures that a stream in a file of `file_bytes` may have."""
        if self.pictures is not None:
            return self.pictures
        return min(MAX_PICTURES, FREE_PICTURES + PICTURES_PER_BYTE * file_bytes)

    def check_pictures(self, pictures: int, file_bytes: int) -> None:
        """Raise `StreamError` when `pictures` so far are more than a stream may have."""
        most = self.most_pictures(file_bytes)
        if pictures > most:
            raise StreamError(
                f"its {file_bytes} bytes ask for more than {most} pictures; if that is meant, "
                "allow more with --max-pictures"
            )


DEFAULT_LIMITS = StreamLimits()
"""What a stream may ask for where nothing else is said."""
