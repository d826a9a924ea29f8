"""The `face` network run by onnxruntime: from the graphs to pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from models.contract import Picture
from models.errors import ModelError
from models.face.renderer import Draw
from models.landmarks.flow import Float32Array
from models.onnx_graph import Array, OnnxGraph

ENCODE_KEY_FILE = "encode_key.onnx"
DRAW_FILE = "draw.onnx"
ANALYSE_FILE = "analyse.onnx"


class OnnxRenderer:
    """Draws pictures with the graphs of `tools.onnx_export.face`.

    Attributes:
        size: width and height of the pictures, fixed in the graphs.
        compact_features: how many values the compact feature has, 0 for none.
    """

    def __init__(
        self,
        folder: Path,
        sha256: Mapping[str, str] | None = None,
        *,
        threads: int = 0,
        device: str = "auto",
        at_once: int = 1,
    ) -> None:
        """Load the graphs.

        Args:
            folder: with the files.
            sha256: of each file, by name; None for graphs that were made here and now.
            threads: of one run; 0 for as many as there are cores.
            device: "auto", "cpu", "cuda" or "cuda:N".
            at_once: how many pictures to draw at the same time.

        Raises:
            CheckpointError: a file is missing, altered or no graph that can be run.
            ModelError: the device is not there.
        """

        def load(name: str) -> OnnxGraph:
            expected = None if sha256 is None else sha256[name]
            return OnnxGraph(folder / name, expected, threads=threads, device=device)

        self.at_once = at_once
        self._encode_key, self._draw = load(ENCODE_KEY_FILE), load(DRAW_FILE)
        self._load_analysis = partial(load, ANALYSE_FILE)
        self._analysis: OnnxGraph | None = None
        self.size = self._encode_key.inputs["key"][0]
        self.compact_features = self._draw.inputs.get("compact", (0,))[0]

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Encode a key picture [S, S, 3] with its landmarks [478, 2] once.

        The result draws pictures [S, S, 3] of landmarks [478, 2], their coarse flow [2, S, S]
        and, if wanted, a compact feature [K] in quantisation steps.

        Raises:
            ModelError: the picture is not of the graphs' size.
        """
        height, width = picture.shape[:2]
        if (height, width) != (self.size, self.size):
            raise ModelError(
                f"{self._encode_key.name} is for pictures of {self.size}x{self.size}, not "
                f"{width}x{height}"
            )
        features = self._encode_key.run({"key": picture, "landmarks": landmarks})

        def draw(
            driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
        ) -> Picture:
            inputs = {**features, "landmarks": driven, "flow": flow}
            if self.compact_features:
                unsent = np.zeros(self.compact_features, np.float32)
                inputs["compact"] = unsent if compact is None else compact
            return self._draw.run(inputs)["drawn"]

        return draw

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture; only encoders load the graph for it."""
        if self._analysis is None:
            self._analysis = self._load_analysis()
        inputs: dict[str, Array] = {
            "driven": driven,
            "key": key,
            "landmarks": landmarks,
            "flow": flow,
        }
        return np.asarray(self._analysis.run(inputs)["compact"], np.float32)
