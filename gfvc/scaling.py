"""Pictures of a video cropped and scaled to what is coded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from gfvc.rectangle import Rectangle
from gfvc.telling import Notes, unheard
from gfvc.video_reader import PictureEntry, read_pictures
from models.contract import Picture

Size = tuple[int, int]
"""Width and height of a picture in pixels."""


def scale(picture: Picture, size: Size) -> Picture:
    """A picture at another size: pixel areas when it shrinks, cubic when it grows."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    shrinks = width * height > size[0] * size[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)


def enlarged(picture: Picture, size: Size) -> Picture:
    """A decoded picture at the larger size that is shown, by Lanczos's filter of eight taps."""
    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)


def reduced(picture: Picture, longest: int) -> Picture:
    """A picture in its own shape or nearly, no side of it longer; by pixel areas."""
    size = reduced_size((picture.shape[1], picture.shape[0]), longest)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def reduced_size(size: Size, longest: int) -> Size:
    """What `reduced` makes of a size."""
    share = min(1.0, longest / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def read_scaled(
    source: Path,
    rate: Fraction,
    crop: Rectangle,
    size: Size,
    notes: Notes = unheard,
    *,
    start: int = 0,
    entry: PictureEntry | None = None,
    entries: Callable[[PictureEntry], None] | None = None,
) -> Iterator[Picture]:
    """Pictures uint8 RGB [height, width, 3] of a video at a rate in pictures per second.

    The others are as `read_pictures` has them: `notes` of what was changed, the number of the
    first, where in the file to begin, and what is told of such places. Of a raw stream that states
    no rate each picture is read once.
    """
    pictures = read_pictures(
        source, rate, crop, notes, start=start, entry=entry, entries=entries, own_rate=rate
    )
    return (scale(picture, size) for picture in pictures)
