"""The post-filters run by onnxruntime: a decoded picture in, a filtered one out."""

from __future__ import annotations

import threading
from functools import cache

import cv2
import numpy as np

from models.card import NetworkCard
from models.contract import Picture
from models.files import DATA
from models.onnx_graph import OnnxGraph
from models.post_filter import ENLARGING, STEP, enlargement
from models.post_filter.card import CARD, ENLARGING_CARD

MOST_SAMPLES = 1 << 20
"""Pixels that a graph makes at a time at most; larger pictures are filtered in tiles.

So what is needed in memory does not grow with pictures.
"""

MOST_COLUMNS = 832
"""Columns that are made of a tile at most, so that it is not much wider than high."""

OVERLAP = 96
"""Pixels around those that are taken of a tile: what lies further away changes nothing much."""


class PostFilter:
    """Filters coded pictures; any number of threads may use it at the same time.

    `scale` is how many times as wide and high as they are its graph makes pictures.
    """

    def __init__(self, graph: OnnxGraph, scale: int = 1) -> None:
        self._graph = graph
        self._scale = scale

    def __call__(self, picture: Picture, qp: int) -> Picture:
        """A decoded picture uint8 RGB [H, W, 3] filtered, `scale` times as large: a new array.

        `qp` is the quantisation parameter that it is coded by; those that the network has not
        learned of are taken for the next that it has.

        Raises:
            ModelError: the graph cannot be run.
        """
        height, width = picture.shape[:2]
        scale = self._scale
        most, overlap = MOST_SAMPLES // scale**2, OVERLAP // scale
        if height * width <= most:
            return self._filtered(picture, qp)
        columns = _part(width, MOST_COLUMNS // scale)
        seen = width if columns == width else columns + 2 * overlap
        rows = _part(height, max(STEP, most // seen - 2 * overlap))
        result = np.empty((scale * height, scale * width, 3), np.uint8)
        for top in range(0, height, rows):
            for left in range(0, width, columns):
                self._filter_tile(picture, qp, result, (top, rows), (left, columns))
        return result

    def _filter_tile(
        self,
        picture: Picture,
        qp: int,
        result: Picture,
        rows: tuple[int, int],
        columns: tuple[int, int],
    ) -> None:
        """Filter so many rows and columns from a place on, and put them into the result."""
        (top, height), (left, width) = rows, columns
        overlap = OVERLAP // self._scale
        first, before = max(0, top - overlap), max(0, left - overlap)
        seen = picture[first : top + height + overlap, before : left + width + overlap]
        scale = self._scale
        tile = self._filtered(seen, qp)[scale * (top - first) :, scale * (left - before) :]
        place = result[scale * top :, scale * left :][: scale * height, : scale * width]
        place[:] = tile[: place.shape[0], : place.shape[1]]

    def _filtered(self, picture: Picture, qp: int) -> Picture:
        height, width = picture.shape[:2]
        below, right = -height % STEP, -width % STEP
        whole = picture
        if below or right:
            whole = np.asarray(
                cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        told = np.array([qp], np.float32)
        filtered = self._graph.run({"picture": np.ascontiguousarray(whole), "qp": told})["filtered"]
        return np.asarray(filtered[: self._scale * height, : self._scale * width], np.uint8)


def _part(whole: int, most: int) -> int:
    """Sides of parts of about one size, so many pixels at most, that make up a whole."""
    return -(-whole // -(-whole // most))


_loading = threading.Lock()


def load_post_filter(number: int) -> PostFilter:
    """The filter of a number (`models.post_filter`), loaded once for all who ask.

    Raises:
        CheckpointError: its file is missing or altered.
    """
    with _loading:
        return _loaded(ENLARGING_CARD if number == ENLARGING else CARD, enlargement(number))


@cache
def _loaded(card: NetworkCard, scale: int) -> PostFilter:
    [(name, sha256)] = card.graphs
    # One thread a picture: who has several filters them at the same time, which is quicker.
    return PostFilter(OnnxGraph((DATA / card.data).with_name(name), sha256, threads=1), scale)
