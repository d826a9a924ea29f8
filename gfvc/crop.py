"""Choosing one steady square for a whole clip, so that the face fills the coded picture well."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from gfvc.errors import InputError
from gfvc.rectangle import Rectangle
from gfvc.video_reader import read_pictures
from models.contract import Picture
from models.landmarks.tracking import FaceBox, FaceFinder

# Side of the square over the side of the detector's box (brows to chin): hair and shoulders show.
_SIDE = 1.95
# The square's centre lies below that of the box, brows to chin, by this share of the box.
_LOWER = 0.02
# Room around every place the face goes to, in box sides on each side.
_MARGIN = 0.22
# A square that would leave out less than this share of a square source is not worth a crop.
_KEEP_WHOLE = 0.80
# How often the clip is looked at: pictures a second.
_LOOKS = Fraction(2)


def whole_square(width: int, height: int) -> Rectangle:
    """The largest square in the middle of a picture."""
    side = min(width, height)
    return Rectangle((width - side) // 2, (height - side) // 2, side, side)


def follow_largest(faces: Iterable[list[FaceBox]]) -> list[FaceBox]:
    """Boxes of one face over a clip: the largest at first, then whichever overlaps it most."""
    followed: list[FaceBox] = []
    for boxes in faces:
        if not boxes:
            continue
        if followed and (best := max(boxes, key=followed[-1].overlap)).overlap(followed[-1]) > 0:
            followed.append(best)
        else:
            followed.append(max(boxes, key=lambda box: box.area))
    return followed


def square_around(boxes: list[FaceBox], width: int, height: int) -> Rectangle:
    """The square inside a picture of the given size that suits all boxes of a face.

    It is centred on the middle of the places the face goes to, wide enough for the usual size of
    the face with hair and shoulders, and for its extreme places.
    """
    sides = np.array([max(box.width, box.height) for box in boxes])
    centres = np.array([box.centre for box in boxes])
    usual = float(np.median(sides))
    # Single wrong detections must not widen the square: the outermost 2 % do not count.
    low = np.percentile(centres - sides[:, None] / 2, 2, axis=0) - _MARGIN * usual
    high = np.percentile(centres + sides[:, None] / 2, 98, axis=0) + _MARGIN * usual
    side = round(min(max(_SIDE * usual, *(high - low)), width, height))
    centre = (low + high) / 2 + (0.0, _LOWER * usual)
    left = int(np.clip(round(centre[0] - side / 2), 0, width - side))
    top = int(np.clip(round(centre[1] - side / 2), 0, height - side))
    return Rectangle(left, top, side, side)


def choose_crop(path: Path, width: int, height: int, size: int) -> Rectangle:
    """Look through a clip and choose the square to code.

    A square source no larger than the coded `size`, or filled by the face already, is kept
    whole. Raises `InputError` when no picture shows a face.
    """
    whole = whole_square(width, height)
    if width == height <= size:
        return whole
    with FaceFinder() as finder:
        boxes = follow_largest(finder.find(picture) for picture in _looks(path))
    if not boxes:
        # A face that fills the picture escapes the detector; the tracker has the last word.
        return whole
    square = square_around(boxes, width, height)
    if width == height and square.width >= _KEEP_WHOLE * width:
        return whole
    return square


def _looks(path: Path) -> Iterable[Picture]:
    return read_pictures(path, _LOOKS)


def require_square(path: Path, width: int, height: int) -> Rectangle:
    """The whole picture of a source that is square; raise `InputError` for another."""
    if width != height:
        raise InputError(
            f"{path}: is {width}x{height}, and --crop none wants a square picture; "
            "use --crop auto, or crop it first"
        )
    return Rectangle(0, 0, width, height)
