"""What a stream may ask for before it is refused: a few bytes can stand for hours of pictures."""

from __future__ import annotations

MAX_PICTURES = 120_000
"""Output pictures of a stream, by default: half an hour at 60 a second, and a little more."""

FREE_PICTURES = 7200
"""Output pictures that any stream may have by default, however few bytes it takes."""

PICTURES_PER_BYTE = 2
"""Further output pictures for each byte of the file, by default.

Streams of talking heads have one picture in 2 to 20 bytes; those of a face that never moves, coded
as coarsely as can be, up to one and a half in a byte.
"""

FREE_SAMPLES = FREE_PICTURES * 1280 * 720
"""Luma samples of all pictures of any stream together, by default."""

CODED_SAMPLES_PER_BYTE = 1 << 17
"""Further ones of coded pictures for each byte of the file, by default.

Each takes a decoder's time, however few bytes it has. At 20 kbit/s and 30 pictures a second those
of 1280x720 have 11 000 a byte; where nothing changes at all, such a picture still takes 10 bytes.
"""

SAMPLES_PER_BYTE = 1 << 19
"""The same of output pictures, also those that are drawn: one of 1280x720 in 2 bytes passes."""

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


def most_pictures(asked: int | None, file_bytes: int) -> int:
    """Output pictures that a stream in a file of so many bytes may have: as many as were asked for.

    None asks for `MAX_PICTURES`, and no more than `FREE_PICTURES` with `PICTURES_PER_BYTE` for each
    byte.
    """
    if asked is not None:
        return asked
    return min(MAX_PICTURES, FREE_PICTURES + PICTURES_PER_BYTE * file_bytes)


def excess_samples(coded: int, shown: int, asked: int | None, file_bytes: int) -> str | None:
    """What a stream has too much of: luma samples of all coded pictures, or of output pictures.

    `asked` is the number of pictures that is asked for, as in `most_pictures`: where there is one,
    their size counts for nothing.
    """
    if asked is not None:
        return None
    for samples, per_byte, of in (
        (coded, CODED_SAMPLES_PER_BYTE, "coded pictures"),
        (shown, SAMPLES_PER_BYTE, "pictures"),
    ):
        most = FREE_SAMPLES + per_byte * file_bytes
        if samples > most:
            return f"{of} of more than {most // 10**6} million luma samples together"
    return None
