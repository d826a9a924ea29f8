"""Face parameters of pictures that have no message of their own: linear between those that have.

With x(s) and x(t) the values of two successive messages, of pictures s < t, a picture j between
them has x(s) + (x(t) - x(s)) (j - s) / (t - s), in float64. After the last message values stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.contract import FloatArray


def interpolated(values: FloatArray, sent: Sequence[int], pictures: int) -> FloatArray:
    """Values [pictures, n] of all pictures from those [messages, n] of the pictures `sent`.

    `sent` are numbers of pictures, rising from 0, the key picture; all less than `pictures`.

    >>> interpolated(np.array([[0.0], [4.0]]), [0, 2], 4).ravel().tolist()
    [0.0, 2.0, 4.0, 4.0]
    """
    places = np.asarray(sent, np.int64)
    picture = np.arange(pictures)
    before = np.searchsorted(places, picture, side="right") - 1
    after = np.minimum(before + 1, len(places) - 1)
    gap = np.maximum(places[after] - places[before], 1)
    share = ((picture - places[before]) / gap)[:, None]
    result: FloatArray = values[before] + (values[after] - values[before]) * share
    return result
