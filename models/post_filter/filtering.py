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
"""Pixels that the graph is given at a time at most; larger pictures are filtered in bands of rows.

So what is needed in memory does not grow with pictures.
"""

OVERLAP = 96
"""Rows of a band beyond those that are taken of it: what lies further away changes nothing much."""


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
        rows = max(STEP, MOST_SAMPLES // width - 2 * OVERLAP)
        if height <= rows + 2 * OVERLAP:
            return self._filtered(picture)
        bands = []
        for top in range(0, height, rows):
            first = max(0, top - OVERLAP)
            band = self._filtered(picture[first : top + rows + OVERLAP])
            bands.append(band[top - first :][:rows])
        return np.concatenate(bands)

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
