"""What of a source is coded, and how large it comes out: its face alone, or whole pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gfvc.crop import choose_crop, choose_squares, require_square, whole_square
from gfvc.errors import InputError
from gfvc.face_square import DRAWN_SIDE, LEAST_SIDE, FaceSquare
from gfvc.options.encoding import FACE_SIDE, SourceOptions
from gfvc.rectangle import Rectangle
from gfvc.scaling import Size
from gfvc.telling import Notes

MIN_SIDE = 64
"""Pixels that a source, and what is coded of it, has at least a side."""
LARGEST = 1280, 720
"""Longer and shorter side of whole pictures, at most, where no size is asked for."""
NEAR_SIDES = 1.2
"""How far a face may be elsewhere at other times, in sides of it, to be in one square with itself.

One further away is ordinary video then: a square around both places would show it small.
"""

LEAST_FURTHER_SIDE = 64
"""Side in pixels of a coded picture that squares of faces beside the first have at least.

A smaller face costs as many bits as a larger one, and its motion hardly shows.
"""


@dataclass(frozen=True, slots=True)
class Framing:
    """The part of a source that is coded, its size as coded, and where faces lie in that.

    `squares` are those of the faces that are driven, that of the first one first; none where one
    face fills the coded pictures. `shown_size` is the size that pictures come out at; None: as
    coded.
    """

    crop: Rectangle
    size: Size
    squares: tuple[FaceSquare, ...] = ()
    shown_size: Size | None = None

    @property
    def square(self) -> FaceSquare | None:
        """The square of the first face."""
        return self.squares[0] if self.squares else None


def frame(source: Path, width: int, height: int, options: SourceOptions, notes: Notes) -> Framing:
    """Look through a source of so many pixels, and choose; all is as large as it comes out.

    `notes` is told when whole pictures come out smaller than they are. Raises `InputError` for a
    source that is too small, or cannot be coded as asked.
    """
    size = checked_size(source, width, height, options)
    if not options.whole_pictures:
        if options.crop == "none":
            return Framing(require_square(source, width, height), size)
        crop = choose_crop(source, width, height, size[0], notes=notes, face_at=options.face_at)
        return Framing(crop, size)
    if options.size is None and size[0] * size[1] < 0.9 * width * height:
        notes(
            f"{source}: is {width}x{height}, and comes out as {size[0]}x{size[1]}; --size asks for "
            "another"
        )
    whole = Rectangle(0, 0, width, height)
    if not options.most_faces:
        # A square stands in the stream all the same, as of a clip that shows no face.
        return _of_faces(whole, [whole_square(width, height)], size)
    # Whatever the size: a small square source is no face alone.
    faces = choose_squares(
        source,
        width,
        height,
        0,
        most=options.most_faces,
        least_side=LEAST_FURTHER_SIDE * width / size[0],
        notes=notes,
        face_at=options.face_at,
        reach=NEAR_SIDES,
    )
    return _of_faces(whole, faces, size)


def _of_faces(whole: Rectangle, faces: list[Rectangle], size: Size) -> Framing:
    if faces == [whole] and size == (DRAWN_SIDE, DRAWN_SIDE):
        return Framing(whole, size)
    source = whole.width, whole.height
    return Framing(whole, size, tuple(square_of(face, source, size) for face in faces))


def checked_size(source: Path, width: int, height: int, options: SourceOptions) -> Size:
    """The `output_size` of a source; raise `InputError` where it, or the source, is too small."""
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{source}: is {width}x{height}; pictures need at least {MIN_SIDE} a side: enlarge or "
            "pad it with a video program"
        )
    size = output_size(width, height, options)
    if min(size) < MIN_SIDE:
        raise InputError(
            f"{source}: is {width}x{height}, and would come out as {size[0]}x{size[1]}; pictures "
            f"need at least {MIN_SIDE} a side: ask for a larger --size, or for --view face"
        )
    return size


def output_size(width: int, height: int, options: SourceOptions) -> Size:
    """Width and height of the pictures that come out for a source of so many pixels.

    Whole pictures keep their shape: by default they are as large as they are, up to 1280x720 or
    720x1280; a side asked for is their shorter one; and they fit into a width and height. Sides
    are even.
    """
    asked = options.size
    if not options.whole_pictures:
        side = FACE_SIDE if asked is None else asked if isinstance(asked, int) else asked[0]
        return side, side
    if asked is None:
        longer, shorter = LARGEST
        scale = min(1.0, longer / max(width, height), shorter / min(width, height))
    elif isinstance(asked, int):
        scale = asked / min(width, height)
    else:
        scale = min(asked[0] / width, asked[1] / height)
    return even(width * scale), even(height * scale)


def even(length: float) -> int:
    """The nearest length that 4:2:0 pictures can have."""
    return max(2, 2 * round(length / 2))


def square_of(face: Rectangle, source: Size, size: Size) -> FaceSquare:
    """The square around a face of a source where it lies in pictures of another size."""
    scale = size[0] / source[0]
    side = min(max(round(face.width * scale), LEAST_SIDE), *size)
    left = min(round(face.left * scale), size[0] - side)
    top = min(round(face.top * size[1] / source[1]), size[1] - side)
    return FaceSquare(left, top, side)
