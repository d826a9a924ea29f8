"""Pictures to look at: as PNG, with text, and strips with a row for each video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from gfvc.face_square import FaceSquare
from gfvc.scaling import Size, scale
from models.contract import Picture

_LABEL_WIDTH = 96
# Pictures that are larger are reduced to this.
_MOST_SIDE = 320


def spread(pictures: int, count: int, first: int = 0) -> list[int]:
    """Numbers of at most `count` pictures, spread evenly over those from `first` on.

    >>> spread(9, 3)
    [0, 4, 8]
    """
    numbers = np.linspace(first, pictures - 1, count).round().astype(int)
    return list(dict.fromkeys(numbers.tolist()))


def png(picture: Picture) -> bytes:
    """A picture [height, width, 3] as a PNG file."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert ok
    return bytes(data.tobytes())


def write_text(picture: Picture, text: str, place: tuple[int, int], size: float = 0.5) -> None:
    """Write into a picture in black, in ASCII; `place` is where the text begins, on its line."""
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)


def write_strip(
    path: Path,
    rows: Mapping[str, Sequence[Picture]],
    squares: Sequence[FaceSquare] | None = None,
) -> None:
    """Write a PNG of rows of as many pictures each, all of one size.

    They are reduced to 320 pixels a side, if they are larger. Below each row of whole pictures
    comes one of the face squares of each, as wide as they are.
    """
    sheet = []
    for name, pictures in rows.items():
        height, width = pictures[0].shape[:2]
        reduction = min(1.0, _MOST_SIDE / max(height, width))
        height, width = round(height * reduction), round(width * reduction)
        sheet.append(_row(name, pictures, (width, height)))
        if squares is not None:
            faces = [
                np.ascontiguousarray(picture[square.window])
                for picture, square in zip(pictures, squares, strict=True)
            ]
            sheet.append(_row("face", faces, (width, width)))
    path.write_bytes(png(np.concatenate(sheet)))


def _row(name: str, pictures: Sequence[Picture], size: Size) -> Picture:
    """Pictures beside each other, scaled to a width and height, after their name."""
    label = np.full((size[1], _LABEL_WIDTH, 3), 255, np.uint8)
    write_text(label, name, (8, size[1] // 2), 0.6)
    return np.concatenate([label, *(scale(picture, size) for picture in pictures)], axis=1)
