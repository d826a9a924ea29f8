"""The `face` network run by onnxruntime: from the graphs to pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from models.contract import Float32Array, Picture
from models.errors import ModelError
from models.face.renderer import Between, Draw
from models.onnx_graph import Array, OnnxGraph

ENCODE_KEY_FILE = "encode_key.onnx"
DRAW_FILE = "draw.onnx"
LOCATE_BETWEEN_FILE = "locate_between.onnx"
PAINT_BETWEEN_FILE = "paint_between.onnx"
ANALYSE_FILE = "analyse.onnx"

SECOND = "second_"
"""What inputs of the graph that draws between two references begin with where the second has them
as the first."""

_PREFIXES = ("", SECOND)

SAMPLED = ("picture", "fine", "middle", "coarse")
"""Features that are sampled along the flow."""

OUTLINE = ("reduced", "heat_maps")
"""Features that say where the others are sampled."""

AT, SHARE, BESIDE = "_at", "_share", "beside"
"""What outputs of the graph that locates end with: where a feature is sampled, and how much of the
second one counts. The last is for the graph that paints."""


class OnnxDraw:
    """Draws pictures from one encoded key picture."""

    def __init__(self, graph: OnnxGraph, features: dict[str, Array], compact_features: int) -> None:
        self._graph = graph
        self.features = features
        self._compact_features = compact_features

    def __call__(
        self, driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
    ) -> Picture:
        """The picture of landmarks and their flow."""
        inputs = {**self.features, "landmarks": driven, "flow": flow}
        if self._compact_features:
            unsent = np.zeros(self._compact_features, np.float32)
            inputs["compact"] = unsent if compact is None else compact
        return self._graph.run(inputs)["drawn"]

    def map(self, name: str) -> Float32Array:
        """A feature that is sampled, as OpenCV has pictures: float32 [h, w, C]."""
        rows = self.features[name]
        # Few channels have their neighbours beside them, for sampling by gathering.
        own = rows[:, 0] if rows.ndim == 3 else rows
        side = math.isqrt(len(own))
        return np.ascontiguousarray(own.reshape(side, side, -1), np.float32)


def _sampled(features: Float32Array, at: Float32Array) -> Float32Array:
    """Features [H, W, C] at columns and rows [2, h, w], linearly; beyond the border it repeats."""
    sampled = cv2.remap(
        features, at[0], at[1], interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(sampled, np.float32)


class OnnxDrawBetween:
    """Draws pictures from two encoded key pictures.

    One graph tells where both are read, OpenCV reads and joins them (many times faster than
    onnxruntime), and another graph paints.
    """

    def __init__(
        self, locate: OnnxGraph, paint: OnnxGraph, first: OnnxDraw, second: OnnxDraw
    ) -> None:
        self._locate = locate
        self._paint = paint
        self._outlines = {
            f"{prefix}{name}": reference.features[name]
            for prefix, reference in zip(_PREFIXES, (first, second), strict=True)
            for name in OUTLINE
        }
        self._maps = {name: (first.map(name), second.map(name)) for name in SAMPLED}

    def __call__(self, place: Between) -> Picture:
        """The picture [S, S, 3]."""
        return self._paint.run(self.read(place))["drawn"]

    def read(self, place: Between) -> dict[str, Array]:
        """What is painted of: both references read and joined, and what is known beside."""
        located = self._locate.run(
            {
                **self._outlines,
                "landmarks": place.landmarks,
                "flow": place.flows[0],
                f"{SECOND}flow": place.flows[1],
                "rest": place.rest,
                "position": np.array([place.progress], np.float32),
                "lead": place.lead,
            }
        )
        joined: dict[str, Array] = {BESIDE: located[BESIDE]}
        for name, maps in self._maps.items():
            one, other = (
                _sampled(features, located[f"{prefix}{name}{AT}"])
                for prefix, features in zip(_PREFIXES, maps, strict=True)
            )
            share = located[f"{name}{SHARE}"]
            joined[name] = cv2.blendLinear(one, other, 1 - share, share)
        return joined


class OnnxRenderer:
    """Draws pictures with the graphs of `tools.onnx_export.face`.

    Attributes:
        concurrent: whether several pictures are best drawn at the same time.
        fuses: whether there are graphs that draw from two references at once.
    """

    def __init__(
        self,
        folder: Path,
        sha256: Mapping[str, str] | None = None,
        *,
        threads: int = 0,
        device: str = "auto",
    ) -> None:
        """Know the graphs; each is loaded when it is first needed.

        Args:
            folder: with the files.
            sha256: of each file, by name; None for graphs that were made here and now.
            threads: of one run; 0 for as many as there are cores.
            device: "auto", "cpu", "cuda" or "cuda:N".

        What needs a graph raises `CheckpointError` when its file is missing, altered or no graph
        that can be run, and `ModelError` when the device is not there.
        """

        def load(name: str) -> OnnxGraph:
            expected = None if sha256 is None else sha256[name]
            return OnnxGraph(folder / name, expected, threads=threads, device=device)

        self.concurrent = threads == 1
        # Each when it is first needed: only some streams are drawn between references, and only
        # encoders measure.
        self._graph = cache(load)
        between = PAINT_BETWEEN_FILE
        self.fuses = between in sha256 if sha256 else (folder / between).exists()

    @property
    def size(self) -> int:
        """Width and height of the pictures, fixed in the graphs."""
        return self._graph(ENCODE_KEY_FILE).inputs["key"][0]

    @property
    def compact_features(self) -> int:
        """How many values the compact feature has, 0 for none."""
        return self._graph(DRAW_FILE).inputs.get("compact", (0,))[0]

    def prepare(self, picture: Picture, landmarks: Float32Array) -> OnnxDraw:
        """Encode a key picture [S, S, 3] with its landmarks [478, 2] once.

        The result draws pictures [S, S, 3] of landmarks [478, 2], their coarse flow [2, S, S]
        and, if wanted, a compact feature [K] in quantisation steps.

        Raises:
            ModelError: the picture is not of the graphs' size.
        """
        height, width = picture.shape[:2]
        if (height, width) != (self.size, self.size):
            raise ModelError(
                f"{ENCODE_KEY_FILE} is for pictures of {self.size}x{self.size}, not "
                f"{width}x{height}"
            )
        features = self._graph(ENCODE_KEY_FILE).run({"key": picture, "landmarks": landmarks})
        return OnnxDraw(self._graph(DRAW_FILE), features, self.compact_features)

    def pair(self, first: Draw, second: Draw) -> OnnxDrawBetween:
        """Draw from two key pictures that were prepared."""
        assert isinstance(first, OnnxDraw)
        assert isinstance(second, OnnxDraw)
        return OnnxDrawBetween(
            self._graph(LOCATE_BETWEEN_FILE), self._graph(PAINT_BETWEEN_FILE), first, second
        )

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture; only encoders load the graph for it."""
        inputs: dict[str, Array]
        inputs = {"driven": driven, "key": key, "landmarks": landmarks, "flow": flow}
        return np.asarray(self._graph(ANALYSE_FILE).run(inputs)["compact"], np.float32)
