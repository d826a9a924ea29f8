"""Choosing one steady square for a whole clip, so that the face fills the coded picture well."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np

from gfvc.errors import InputError
from gfvc.face_choice import FaceTrack, FaceTracks
from gfvc.rectangle import Rectangle
from gfvc.telling import Notes, unheard
from gfvc.video_reader import read_pictures
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


def choose_crop(
    path: Path,
    width: int,
    height: int,
    size: int,
    *,
    notes: Notes = unheard,
    face_at: tuple[float, float] | None = None,
) -> Rectangle:
    """Look through a clip and choose the square around a face, as `choose_squares` does."""
    return choose_squares(path, width, height, size, notes=notes, face_at=face_at)[0]


def choose_squares(
    path: Path,
    width: int,
    height: int,
    size: int,
    *,
    most: int = 1,
    least_side: float = 0,
    notes: Notes = unheard,
    face_at: tuple[float, float] | None = None,
    reach: float = math.inf,
) -> list[Rectangle]:
    """Look through a clip and choose the squares around its faces, that of the first one first.

    A square source no larger than the coded `size`, or filled by a face already, is kept
    whole.

    Args:
        path: of the clip.
        width: of its pictures.
        height: of its pictures.
        size: of the coded pictures.
        most: how many faces to take.
        least_side: pixels that squares of faces beside the first have at least.
        notes: is told which faces were taken, where there are several.
        face_at: a place, in pixels, where the first face is; None for the largest that moves.
        reach: how far from where it is mostly the same face may be seen at other times, in sides
            of its box.

    Raises `InputError` when no face is seen at the place asked for.
    """
    whole = whole_square(width, height)
    if width == height <= size and face_at is None:
        return [whole]
    faces = FaceTracks()
    with FaceFinder() as finder:
        for picture in read_pictures(path, _LOOKS):
            faces.look(picture, finder.find(picture))
    chosen = faces.choose(face_at)
    told = faces.told()
    if chosen is None:
        if face_at is not None:
            raise InputError(
                f"{path}: shows no face at {face_at[0]:g},{face_at[1]:g}; there are faces at "
                f"{_places(told) or 'no place'}"
            )
        # A face that fills the picture escapes the detector; the tracker has the last word.
        return [whole]
    squares: dict[FaceTrack, Rectangle] = {}
    for track in (chosen, *faces.others(chosen, reach)):
        square = square_around(faces.with_successors(track, reach), width, height)
        if track is chosen or (len(squares) < most and square.width >= least_side):
            squares[track] = square
    if len(told) > 1 and (face_at is None or most > 1):
        notes(f"{path}: {_told(told, list(squares))}")
    if width == height and squares[chosen].width >= _KEEP_WHOLE * width:
        return [whole]
    return list(squares.values())


def _told(told: list[FaceTrack], driven: list[FaceTrack]) -> str:
    """At which places faces were taken, and how to take others.

    Faces that are seen one after the other may be one, which a cut, zoom or jolt takes elsewhere.
    """
    others = [track for track in told if track not in driven]
    text = f"shows faces at {len(told)} places; "
    if len(driven) == 1:
        text += f"the one at {_places(driven)} is taken"
    else:
        text += f"those at {_places(driven)} are taken (--faces 1: the first alone)"
    return text + (f"; --face-at takes another, at {_places(others)}" if others else "")


def _places(tracks: list[FaceTrack]) -> str:
    return ", ".join(f"{x},{y}" for x, y in (track.centre for track in tracks))


def require_square(path: Path, width: int, height: int) -> Rectangle:
    """The whole picture of a source that is square; raise `InputError` for another."""
    if width != height:
        raise InputError(
            f"{path}: is {width}x{height}, and --crop none wants a square picture; "
            "use --crop auto, or crop it first"
        )
    return Rectangle(0, 0, width, height)
