"""The post-filter run by onnxruntime: a decoded picture in, a filtered one out."""

from __future__ import annotations

import threading
from functools import cache

import cv2
import numpy as np

from models.contract import Picture
from models.files import DATA
from models.onnx_graph import OnnxGraph
from models.post_filter import STEP
from models.post_filter.card import CARD

MOST_SAMPLES = 1 << 20
"""Pixels that the graph is given at a time at most; larger pictures are filtered in tiles.

So what is needed in memory does not grow with pictures.
"""

MOST_COLUMNS = 832
"""Columns that are taken of a tile at most, so that it is not much wider than high."""

OVERLAP = 96
"""Pixels of a tile around those that are taken of it: what lies further away changes nothing much.
"""


class PostFilter:
    """Filters coded pictures; any number of threads may use it at the same time."""

    def __init__(self, graph: OnnxGraph) -> None:
        self._graph = graph

    def __call__(self, picture: Picture) -> Picture:
        """A decoded picture uint8 RGB [H, W, 3] filtered: the same size, a new array.

        Raises:
            ModelError: the graph cannot be run.
        """
        height, width = picture.shape[:2]
        if height * width <= MOST_SAMPLES:
            return self._filtered(picture)
        columns = _part(width, MOST_COLUMNS)
        seen = width if columns == width else columns + 2 * OVERLAP
        rows = _part(height, max(STEP, MOST_SAMPLES // seen - 2 * OVERLAP))
        result = np.empty_like(picture)
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                self._filter_tile(picture, result, (top, rows), (left, columns))
        return result

    def _filter_tile(
        self, picture: Picture, result: Picture, rows: tuple[int, int], columns: tuple[int, int]
    ) -> None:
        """Filter so many rows and columns from a place on, and put them into the result."""
        (top, height), (left, width) = rows, columns
        first, before = max(0, top - OVERLAP), max(0, left - OVERLAP)
        seen = picture[first : top + height + OVERLAP, before : left + width + OVERLAP]
        tile = self._filtered(seen)[top - first :, left - before :]
        result[top : top + height, left : left + width] = tile[:height, :width]

    def _filtered(self, picture: Picture) -> Picture:
        height, width = picture.shape[:2]
        below, right = -height % STEP, -width % STEP
        whole = picture
        if below or right:
            whole = np.asarray(
                cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        filtered = self._graph.run({"picture": np.ascontiguousarray(whole)})["filtered"]
        return np.asarray(filtered[:height, :width], np.uint8)


def _part(whole: int, most: int) -> int:
    """Sides of parts of about one size, so many pixels at most, that make up a whole."""
    return -(-whole // -(-whole // most))


_loading = threading.Lock()


def load_post_filter() -> PostFilter:
    """The filter that ships, loaded once for all who ask.

    Raises:
        CheckpointError: its file is missing or altered.
    """
    with _loading:
        return _loaded()


@cache
def _loaded() -> PostFilter:
    [(name, sha256)] = CARD.graphs
    # One thread a picture: who has several filters them at the same time, which is quicker.
    return PostFilter(OnnxGraph((DATA / CARD.data).with_name(name), sha256, threads=1))
