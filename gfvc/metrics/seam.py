"""How strong the edge of a face square is in a whole picture."""

from __future__ import annotations

import numpy as np

from gfvc.face_square import FaceSquare
from models.contract import FloatArray, Picture


def seam_energy(picture: Picture, square: FaceSquare) -> float:
    """Mean square of the differences across the border of a square, in levels of 8 bits.

    `picture` is uint8 RGB [height, width, 3]; its channels are averaged. Where the square reaches
    the edge of the picture there is nothing across; 0 where it is all of the picture.
    """
    height, width = picture.shape[:2]
    rows, columns = square.window
    across = [
        _difference(picture[place, columns], picture[place - 1, columns])
        for place in (rows.start, rows.stop)
        if 0 < place < height
    ] + [
        _difference(picture[rows, place], picture[rows, place - 1])
        for place in (columns.start, columns.stop)
        if 0 < place < width
    ]
    return float(np.mean(np.concatenate(across) ** 2)) if across else 0.0


def _difference(inner: Picture, outer: Picture) -> FloatArray:
    """Of two lines of pixels [N, 3], each the mean of its channels."""
    first, second = (line.astype(np.float64).mean(axis=1) for line in (inner, outer))
    difference: FloatArray = first - second
    return difference
